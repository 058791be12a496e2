#!/usr/bin/env bash
# DSD of LeNet-5 on MNIST beside a control with the same epochs and learning rates: 4 epochs dense,
# then 2 at the same rate with 30 % of the weights masked (control: with all), then 2 at a tenth of
# it with all. Seeds 1 to 5, all reported, last epochs.
#
#   experiments/dsd_lenet5.sh                     about 12 minutes on one thread
#
# Needs the data folder and a built coppice (common.sh). What is done is skipped, an interrupted run
# goes on. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
seeds=(${SEEDS:-1 2 3 4 5})
on=(--data "mnist:$data/mnist" --preprocess mnist --threads 1 --resume)

for seed in "${seeds[@]}"; do
  dense=$out/dense-seed$seed.onnx halfway=$out/halfway-seed$seed.onnx
  run "$dense" train zoo:lenet5 --epochs 4 --lr 0.01 --seed "$seed" "${on[@]}"
  run "$out/dsd-seed$seed.onnx" prune "$dense" --method dsd --sparsity 0.3 --epochs 2 --lr 0.01 \
    --latency off --seed "$seed" --plan "$out/dsd-seed$seed.plan.json" "${on[@]}"
  run "$halfway" train "$dense" --epochs 2 --lr 0.01 --seed "$seed" "${on[@]}"
  run "$out/control-seed$seed.onnx" train "$halfway" --epochs 2 --lr 0.001 --seed "$seed" "${on[@]}"
done
table '
  console.log("| seed | dense error % | control error % | DSD error % |\n| --- | --- | --- | --- |");
  const error = (name) => (seed) => 1 - top1(read(`${name}-seed${seed}.onnx`));
  const columns = ["dense", "control", "dsd"].map((name) => args.map(error(name)));
  args.forEach((seed, row) =>
    console.log(`| ${seed} | ${columns.map((column) => percent(column[row])).join(" | ")} |`));
  console.log(`| mean | ${columns.map(spread).join(" | ")} |`);' "${seeds[@]}"
