#!/usr/bin/env bash
# ONNX Runtime's GroupQueryAttention (com.microsoft; npm: onnxruntime-node 1.30.0, CPU): with
# local_window_size 2 a query attends two keys, itself and the one before it. The operator's text
# calls the number the left window size, as of Mistral, and in flash attention's convention a left
# window of 2 is two keys beside the query's own, three in all; a good guess, and off by one.
#
# Run first on 2026-11-28: queries of zeros see the values 1 2 3 4, so each output is the mean of
# what it attends; prints "no window: 1 1.5 2 2.5" and "window of 2: 1 1.5 2.5 3.5". Needs npm,
# apt-get (downloads, doesn't install) and protoc.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund onnxruntime-node@1.30.0 --ignore-scripts >/dev/null
apt-get download -q libonnx-dev=1.12.0-2+b4 >/dev/null 2>&1
dpkg -x libonnx-dev_*.deb .

tensor() { # name, type, sizes
  echo "name: \"$1\" type { tensor_type { elem_type: $2 shape {"
  for size in $3; do echo "dim { dim_value: $size }"; done
  echo "} } }"
}
for window in -1 2; do
  protoc -Iusr/include --encode=onnx.ModelProto usr/include/onnx/onnx.proto >"window$window.onnx" <<TEXT
ir_version: 8
opset_import { domain: "" version: 17 }
opset_import { domain: "com.microsoft" version: 1 }
graph {
  name: "net"
  node {
    op_type: "GroupQueryAttention" domain: "com.microsoft"
    input: "q" input: "k" input: "v" input: "" input: "" input: "last" input: "total"
    output: "y" output: "keys" output: "values"
    attribute { name: "num_heads" type: INT i: 1 }
    attribute { name: "kv_num_heads" type: INT i: 1 }
    attribute { name: "local_window_size" type: INT i: $window }
  }
  initializer { name: "last" data_type: 6 dims: 1 int32_data: 3 }
  initializer { name: "total" data_type: 6 int32_data: 4 }
  input { $(tensor q 1 "1 4 8") } input { $(tensor k 1 "1 4 8") } input { $(tensor v 1 "1 4 8") }
  output { $(tensor y 1 "1 4 8") }
}
TEXT
done

cat >program.js <<'JS'
const ort = require('onnxruntime-node');
async function main() {
  for (const window of [-1, 2]) {
    const session = await ort.InferenceSession.create(`window${window}.onnx`);
    const of = (numbers) => new ort.Tensor('float32', numbers, [1, 4, 8]);
    const zeros = of(new Float32Array(32));
    const values = of(Float32Array.from({length: 32}, (_, i) => 1 + Math.floor(i / 8)));
    const {y} = await session.run({q: zeros, k: zeros, v: values});
    const means = [0, 8, 16, 24].map((i) => Math.round(1000 * y.data[i]) / 1000).join(' ');
    console.log(`${window < 0 ? 'no window' : `window of ${window}`}: ${means}`);
  }
}
main();
JS
node program.js | tee seen
diff seen - <<'SEEN'
no window: 1 1.5 2 2.5
window of 2: 1 1.5 2.5 3.5
SEEN
