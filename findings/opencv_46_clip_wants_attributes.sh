#!/usr/bin/env bash
# OpenCV's dnn module (Debian 12: libopencv-dnn 4.6.0+dfsg-12) loads a Clip only if its bounds are
# attributes, as they were up to opset 10; bounds that are inputs, the only form from opset 11 on,
# it refuses, also where they are initialisers. So no MobileNet of today's exporters loads there.
# It doesn't look at the opset: a file that says 13 and has attributes, which no other runtime
# takes, loads. A good guess is that a release of 2022 reads the operator's form of 2019.
#
# Run first on 2026-11-28, g++ 12.2: prints "inputs: refused (node_proto.input_size() == 1)" and
# "attributes: 0 3 6". Needs apt-get (downloads, doesn't install), g++, protoc and libprotobuf.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q libopencv-{dnn,core,imgproc}-dev=4.6.0+dfsg-12 \
  libopencv-{dnn,core,imgproc}406=4.6.0+dfsg-12 libonnx-dev=1.12.0-2+b4 \
  libtbb12 libtbbmalloc2 liblapack3 libblas3 libgfortran5 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" .; done

# y = clip(x, 0, 6) of a convolution that hands x on; $1 is the Clip's own part.
model() {
  protoc -Iusr/include --encode=onnx.ModelProto usr/include/onnx/onnx.proto <<TEXT
ir_version: 7 opset_import { domain: "" version: 13 }
graph {
  name: "net"
  node { op_type: "Conv" input: "x" input: "w" output: "c"
         attribute { name: "kernel_shape" type: INTS ints: 1 ints: 1 } }
  node { op_type: "Clip" input: "c" output: "y" $1 }
  initializer { name: "w" data_type: 1 dims: 1 dims: 1 dims: 1 dims: 1 float_data: 1 }
  initializer { name: "low" data_type: 1 float_data: 0 }
  initializer { name: "high" data_type: 1 float_data: 6 }
  input { name: "x" type { tensor_type { elem_type: 1 shape {
    dim { dim_value: 1 } dim { dim_value: 1 } dim { dim_value: 1 } dim { dim_value: 3 } } } } }
  output { name: "y" type { tensor_type { elem_type: 1 shape {
    dim { dim_value: 1 } dim { dim_value: 1 } dim { dim_value: 1 } dim { dim_value: 3 } } } } }
}
TEXT
}
model 'input: "low" input: "high"' >inputs.onnx
model 'attribute { name: "min" type: FLOAT f: 0 } attribute { name: "max" type: FLOAT f: 6 }' \
  >attributes.onnx

cat >program.cpp <<'CPP'
#include <iostream>
#include <opencv2/dnn.hpp>

int main() {
  cv::redirectError([](int, const char*, const char*, const char*, int, void*) { return 0; });
  for (const std::string form : {"inputs", "attributes"}) {
    std::cout << form << ":";
    try {
      cv::dnn::Net net = cv::dnn::readNetFromONNX(form + ".onnx");
      const int sizes[] = {1, 1, 1, 3};
      cv::Mat x(4, sizes, CV_32F);
      for (int i = 0; i < 3; ++i) x.ptr<float>()[i] = -3.f + 6.f * i;
      net.setInput(x);
      const cv::Mat y = net.forward();
      for (int i = 0; i < 3; ++i) std::cout << " " << y.ptr<float>()[i];
    } catch (const cv::Exception& error) {
      const std::string why = "node_proto.input_size() == 1";
      const bool found = error.err.find(why) != std::string::npos;
      std::cout << " refused (" << (found ? why : error.err) << ")";
    }
    std::cout << "\n";
  }
}
CPP
libraries=$(find "$work" -name 'lib*.so*' -printf '%h\n' | sort -u | paste -sd:)
g++ -std=c++17 -Iusr/include/opencv4 program.cpp -o program -L"usr/lib/$(g++ -print-multiarch)" \
  -lopencv_dnn -lopencv_core -Wl,--allow-shlib-undefined
LD_LIBRARY_PATH=$libraries ./program 2>/dev/null | tee seen
diff seen - <<'SEEN'
inputs: refused (node_proto.input_size() == 1)
attributes: 0 3 6
SEEN
