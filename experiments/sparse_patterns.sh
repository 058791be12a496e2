#!/usr/bin/env bash
# What blocks of zeros cost in accuracy and bring in time, on really trained masks: ResNet-20 at 90 %,
# pruned gradually, with zeros anywhere, in 2x1 and in 4x1 blocks. The trained original teaches, the
# last epoch counts, seed 1; the latency is measured beside the dense net's and ONNX Runtime's.
#
#   experiments/sparse_patterns.sh      about an hour on one thread; EPOCHS=1 takes less
#
# Needs the data folder, a built coppice (common.sh), and sparse_bench for the times. What is done is
# skipped, an interrupted run goes on. Prints a table, and what sparse_bench prints.
# shellcheck source=experiments/common.sh disable=SC2016
source "$(dirname "$0")/common.sh"
patterns=(${PATTERNS:-unstructured 2x1 4x1})
bench=${BENCH:-$(dirname "$coppice")/sparse_bench}

for pattern in "${patterns[@]}"; do
  run "$out/$pattern.onnx" prune "$data/models/cifar10/resnet20.onnx" --method gradual \
    --sparsity 0.9 --pattern "$pattern" --epochs "${EPOCHS:-4}" --data "cifar10:$data/cifar10" \
    --preprocess imagenet --seed 1 --latency off --resume "${where[@]}"
done

table '
  console.log("| zeros | top-1 % | magnitude kept |\n| --- | --- | --- |");
  for (const pattern of args) {
    const json = read(`${pattern}.onnx`), kept = json.pattern?.at(-1)?.kept_magnitude;
    console.log(`| ${pattern} | ${percent(top1(json))} | ${kept ? percent(kept) + " %" : ""} |`);
  }' "${patterns[@]}"
"$bench" $(printf "$out/%s.onnx " "${patterns[@]}")
