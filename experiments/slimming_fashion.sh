#!/usr/bin/env bash
# Network Slimming of a half-width VGG-11 with BatchNormalization on Fashion-MNIST: 8 epochs of
# training for sparsity, 70 % of all channels cut by one global rank, 8 epochs of tuning; beside it
# dense networks of 8 and of 16 epochs. Seed 1, last epochs.
#
#   experiments/slimming_fashion.sh               about an hour on one thread
#
# Needs the data folder (COPPICE_DATA, or ../shared/data) and a built coppice (COPPICE, or the one in
# build/release/bin). What is done is skipped, an interrupted run goes on. Prints the table; writes
# to build/experiments/slimming_fashion/.
set -euo pipefail
cd "$(dirname "$0")/.."
seed=${SEED:-1}
coppice=${COPPICE:-build/release/bin/coppice}
data=fashion-mnist:${COPPICE_DATA:-../shared/data}/fashion-mnist
out=build/experiments/slimming_fashion
mkdir -p $out

# $1 the file that the command gives; its JSON and its log lie beside it.
run() {
  local file=$1
  shift
  [[ -s $file.json ]] && return
  "$coppice" "$@" --data "$data" --preprocess mean=0.286,std=0.353,scale=1/255 --seed "$seed" \
    --threads 1 --resume --json -o "$file" >"$file.part" 2>>"$file.log"
  mv "$file.part" "$file.json"
}

run "$out/slim-seed$seed.onnx" prune zoo:vgg11-bn-half --method slimming --lambda 7e-4 \
  --epochs 8 --tune-epochs 8 --tune-lr 0.05 --prune-ratio 0.7 --round-to 1 --latency off \
  --plan "$out/slim-seed$seed.plan.json"
run "$out/dense8-seed$seed.onnx" train zoo:vgg11-bn-half --epochs 8
run "$out/dense16-seed$seed.onnx" train zoo:vgg11-bn-half --epochs 16
node -e '
  const fs = require("fs"), [out, seed] = process.argv.slice(1);
  const read = (name) => JSON.parse(fs.readFileSync(`${out}/${name}-seed${seed}.onnx.json`));
  const percent = (top1) => (100 * top1).toFixed(2);
  const slim = read("slim");
  console.log("| | top-1 % | parameters | MACs |\n| --- | --- | --- | --- |");
  for (const epochs of [8, 16]) {
    console.log(`| dense, ${epochs} epochs | ${percent(read(`dense${epochs}`).judged.top1)} | ` +
      `${slim.before.parameters} | ${slim.before.macs} |`);
  }
  console.log(`| slimming, 8 + 8 epochs | ${percent(slim.after.top1)} | ` +
    `${slim.after.parameters} | ${slim.after.macs} |`);' $out "$seed"
