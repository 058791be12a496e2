#!/usr/bin/env bash
# DSD of LeNet-5 on MNIST beside a control with the same epochs and learning rates: 4 epochs dense,
# then 2 at the same rate with 30 % of the weights masked (control: with all), then 2 at a tenth of
# it with all. Seeds 1 to 5, all reported, last epochs.
#
#   experiments/dsd_lenet5.sh                     about 12 minutes on one thread
#
# Needs the data folder (COPPICE_DATA, or ../shared/data) and a built coppice (COPPICE, or the one in
# build/release/bin). What is done is skipped, an interrupted run goes on. Prints the table; writes
# to build/experiments/dsd_lenet5/.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${SEEDS:-1 2 3 4 5}
coppice=${COPPICE:-build/release/bin/coppice} data=mnist:${COPPICE_DATA:-../shared/data}/mnist
out=build/experiments/dsd_lenet5
mkdir -p $out

# $1 the file that the command gives; its JSON and its log lie beside it.
run() {
  local file=$1
  shift
  [[ -s $file.json ]] && return
  "$coppice" "$@" --data "$data" --preprocess mnist --threads 1 --resume --json -o "$file" \
    >"$file.part" 2>>"$file.log"
  mv "$file.part" "$file.json"
}

for seed in $seeds; do
  dense=$out/dense-seed$seed.onnx control=$out/control-seed$seed.onnx
  run "$dense" train zoo:lenet5 --epochs 4 --lr 0.01 --seed "$seed"
  run "$out/dsd-seed$seed.onnx" prune "$dense" --method dsd --sparsity 0.3 --epochs 2 --lr 0.01 \
    --latency off --seed "$seed" --plan "$out/dsd-seed$seed.plan.json"
  run "$out/halfway-seed$seed.onnx" train "$dense" --epochs 2 --lr 0.01 --seed "$seed"
  run "$control" train "$out/halfway-seed$seed.onnx" --epochs 2 --lr 0.001 --seed "$seed"
done
node -e '
  const fs = require("fs"), [out, list] = process.argv.slice(1), seeds = list.split(" ");
  const read = (name) => JSON.parse(fs.readFileSync(`${out}/${name}.onnx.json`));
  const error = (top1) => 100 * (1 - top1), sums = [0, 0, 0];
  console.log("| seed | dense error % | control error % | DSD error % |\n| --- | --- | --- | --- |");
  for (const seed of seeds) {
    const row = [read(`dense-seed${seed}`).judged.top1, read(`control-seed${seed}`).judged.top1,
      read(`dsd-seed${seed}`).after.top1].map(error);
    row.forEach((value, i) => (sums[i] += value));
    console.log(`| ${seed} | ${row.map((value) => value.toFixed(2)).join(" | ")} |`);
  }
  console.log(`| mean | ${sums.map((sum) => (sum / seeds.length).toFixed(3)).join(" | ")} |`);
  ' $out "$seeds"
