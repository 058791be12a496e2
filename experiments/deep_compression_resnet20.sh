#!/usr/bin/env bash
# Deep Compression of the trained ResNet-20 on CIFAR-10: two rounds of pruning and retraining,
# weight sharing, tuning, the container. Seeds 1, 2 and 3, all reported, last epochs.
#
#   experiments/deep_compression_resnet20.sh [SPARSITY] [BITS] [EPOCHS]    0.7, 5 and 3
#
# Three times EPOCHS a seed, some 75 seconds each on two cores; SEEDS=2 runs that seed alone. Needs
# the data folder (COPPICE_DATA, or ../shared/data) and a built coppice (COPPICE, or the one in
# build/release/bin). What is done is skipped, what was interrupted goes on. Prints the table;
# writes to build/experiments/deep_compression/.
set -euo pipefail
cd "$(dirname "$0")/.."
coppice=${COPPICE:-build/release/bin/coppice} data=${COPPICE_DATA:-../shared/data}
sparsity=${1:-0.7} bits=${2:-5} epochs=${3:-3} seeds=${SEEDS:-1 2 3}
out=build/experiments/deep_compression
mkdir -p $out
for seed in $seeds; do
  sparse=$out/resnet20-$sparsity-$bits-$epochs-seed$seed
  [[ -s $sparse.json ]] && continue
  "$coppice" prune "$data/models/cifar10/resnet20.onnx" --data "cifar10:$data/cifar10" \
    --preprocess imagenet --method deep-compression --sparsity "$sparsity" --scope global \
    --rounds 2 --epochs "$epochs" --bits "$bits" --seed "$seed" --resume --latency off --json \
    -o "$sparse.onnx" --plan "$sparse.plan.json" >"$sparse.part" 2>>"$sparse.log"
  "$coppice" compress "$sparse.onnx" -o "$sparse.coppice" --json >"$sparse.packed.json" 2>>"$sparse.log"
  mv "$sparse.part" "$sparse.json"
done
node -e '
  const fs = require("fs"), [name, seeds, original] = process.argv.slice(1);
  const read = (file) => JSON.parse(fs.readFileSync(file));
  const whole = fs.statSync(original).size;
  console.log("| seed | dense top-1 % | top-1 % | nonzero | bytes | ratio | minutes |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const seed of seeds.split(" ")) {
    const pruned = read(`${name}-seed${seed}.json`), packed = read(`${name}-seed${seed}.packed.json`);
    const seconds = pruned.training.history.reduce((sum, epoch) => sum + epoch.seconds, 0);
    const top1 = (side) => (100 * side.top1).toFixed(2);
    console.log(`| ${seed} | ${top1(pruned.before)} | ${top1(pruned.after)} | ` +
      `${pruned.after.nonzeros} | ${packed.bytes_after} | ` +
      `${(whole / packed.bytes_after).toFixed(1)} | ${(seconds / 60).toFixed(0)} |`);
  }' "$out/resnet20-$sparsity-$bits-$epochs" "$seeds" "$data/models/cifar10/resnet20.onnx"
