#!/usr/bin/env bash
# Deep Compression of LeNet-300-100 and LeNet-5 on MNIST: dense training, rounds of pruning and
# retraining, weight sharing, the container. Seeds 1, 2 and 3, all reported, last epochs.
#
#   experiments/deep_compression_mnist.sh lenet300-100 0.92
#   experiments/deep_compression_mnist.sh lenet5 0.92        NET, and the share of zeros
#
# SEEDS=2 runs that seed alone. One thread a run: the nets are small, and the numbers then don't depend on the machine's cores.
# Minutes a seed: experiments/README.md. Needs the data folder and a built coppice (common.sh). What is
# done is skipped. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
net=$1 sparsity=$2 seeds=(${SEEDS:-1 2 3})
case $net in
  lenet300-100) epochs=6 ;;
  lenet5) epochs=4 ;; # eleven seconds each
  *) echo "expected lenet300-100 or lenet5, found '$net'" >&2 && exit 2 ;;
esac
bits=conv=8,fc=5
on=(--data "mnist:$data/mnist" --preprocess mnist --threads 1 --resume)

for seed in "${seeds[@]}"; do
  dense=$out/$net-seed$seed.onnx sparse=$out/$net-$sparsity-seed$seed.onnx
  run "$dense" train "zoo:$net" --epochs 20 --seed "$seed" "${on[@]}"
  run "$sparse" prune "$dense" --method deep-compression --sparsity "$sparsity" --scope global \
    --rounds 4 --epochs "$epochs" --lr 0.03 --distill 0 --bits $bits --seed "$seed" --latency off \
    --plan "${sparse%.onnx}.plan.json" "${on[@]}"
  run "${sparse%.onnx}.coppice" compress "$sparse" --threads 1
done
table '
  const [net, sparsity, ...seeds] = args;
  console.log("| seed | dense error % | error % | nonzero | bytes | ratio | paper accounting |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const seed of seeds) {
    const { before, after } = read(`${net}-${sparsity}-seed${seed}.onnx`);
    const packed = read(`${net}-${sparsity}-seed${seed}.coppice`);
    const paper = packed.bytes_before / packed.paper_pqh_bytes;
    console.log(`| ${seed} | ${percent(1 - before.top1)} | ${percent(1 - after.top1)} | ` +
      `${after.nonzeros} | ${packed.bytes_after} | ${packed.ratio.toFixed(1)} | ` +
      `${paper.toFixed(1)} |`);
  }' "$net" "$sparsity" "${seeds[@]}"
