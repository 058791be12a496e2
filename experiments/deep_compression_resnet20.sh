#!/usr/bin/env bash
# Deep Compression of the trained ResNet-20 on CIFAR-10: two rounds of pruning and retraining,
# weight sharing, tuning, the container. Seeds 1, 2 and 3, all reported, last epochs.
#
#   experiments/deep_compression_resnet20.sh [SPARSITY] [BITS] [EPOCHS]    0.7, 5 and 3
#
# Three times EPOCHS a seed, some 75 seconds each on two cores; SEEDS=2 runs that seed alone. Needs
# the data folder and a built coppice (common.sh). What is done is skipped, what was interrupted goes
# on. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
sparsity=${1:-0.7} bits=${2:-5} epochs=${3:-3} seeds=(${SEEDS:-1 2 3})
name=resnet20-$sparsity-$bits-$epochs
model=$data/models/cifar10/resnet20.onnx
for seed in "${seeds[@]}"; do
  sparse=$out/$name-seed$seed
  run "$sparse.onnx" prune "$model" --data "cifar10:$data/cifar10" --preprocess imagenet \
    --method deep-compression --sparsity "$sparsity" --scope global --rounds 2 --epochs "$epochs" \
    --bits "$bits" --seed "$seed" --resume --latency off --plan "$sparse.plan.json"
  run "$sparse.coppice" compress "$sparse.onnx"
done
table '
  const [name, whole, ...seeds] = args;
  console.log("| seed | dense top-1 % | top-1 % | nonzero | bytes | ratio | minutes |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const seed of seeds) {
    const { before, after, training } = read(`${name}-seed${seed}.onnx`);
    const { bytes_after } = read(`${name}-seed${seed}.coppice`);
    const seconds = training.history.reduce((sum, epoch) => sum + epoch.seconds, 0);
    console.log(`| ${seed} | ${percent(before.top1)} | ${percent(after.top1)} | ` +
      `${after.nonzeros} | ${bytes_after} | ${(whole / bytes_after).toFixed(1)} | ` +
      `${(seconds / 60).toFixed(0)} |`);
  }' "$name" "$(stat -c %s "$model")" "${seeds[@]}"
