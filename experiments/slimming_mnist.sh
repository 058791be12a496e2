#!/usr/bin/env bash
# Network Slimming of the 784-500-300-10 network on MNIST: 20 epochs of dense training, 10 with the
# penalty, 80 % of each hidden layer cut (as in the paper, whose global rank emptied a layer), and 20
# of tuning, with the dense network as the teacher. Seeds 1, 2 and 3, all reported, last epochs.
#
#   experiments/slimming_mnist.sh                 about seven minutes
#
# One thread a run. Needs the data folder (COPPICE_DATA, or ../shared/data) and a built coppice
# (COPPICE, or the one in build/release/bin). What is done is skipped, an interrupted run goes on.
# Prints the table; writes to build/experiments/slimming_mnist/.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${SEEDS:-1 2 3}
coppice=${COPPICE:-build/release/bin/coppice} data=mnist:${COPPICE_DATA:-../shared/data}/mnist
out=build/experiments/slimming_mnist
mkdir -p $out

# $1 the file that the command gives; its JSON and its log lie beside it.
run() {
  local file=$1
  shift
  [[ -s $file.json ]] && return
  "$coppice" "$@" --data "$data" --preprocess mnist --threads 1 --resume --json \
    -o "$file" >"$file.part" 2>>"$file.log"
  mv "$file.part" "$file.json"
}

for seed in $seeds; do
  dense=$out/dense-seed$seed.onnx
  run "$dense" train zoo:mlp500-300-bn --epochs 20 --seed "$seed"
  run "$out/slim-seed$seed.onnx" prune "$dense" --method slimming --lambda 1e-4 --scope layer \
    --prune-ratio 0.8 --round-to 1 --epochs 10 --tune-epochs 20 --lr 0.1 --weight-decay 2e-3 \
    --temperature 2 --latency off --seed "$seed" --plan "$out/slim-seed$seed.plan.json"
done
node -e '
  const fs = require("fs"), [out, seeds] = process.argv.slice(1);
  const read = (name) => JSON.parse(fs.readFileSync(`${out}/${name}.onnx.json`));
  const error = (top1) => (100 * (1 - top1)).toFixed(2);
  console.log("| seed | dense error % | error % | widths | parameters | fewer % |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const seed of seeds.split(" ")) {
    const dense = read(`dense-seed${seed}`), slim = read(`slim-seed${seed}`);
    const fewer = 100 * (1 - slim.after.parameters / slim.before.parameters);
    console.log(`| ${seed} | ${error(dense.judged.top1)} | ${error(slim.after.top1)} | ` +
      `${slim.groups.map((group) => group.after).join("-")} | ${slim.after.parameters} | ` +
      `${fewer.toFixed(1)} |`);
  }' $out "$seeds"
