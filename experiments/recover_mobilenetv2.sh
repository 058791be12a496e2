#!/usr/bin/env bash
# What recovering brings to a net that has no BatchNormalization left: MobileNetV2 loses 10 % of every
# group and isn't trained. The ImageNet sample has no test part: the program draws 500 of its 1000
# images to measure on (always the same ones), of which every fifth judges the steps; the other
# 500 are read once, at the end of each run.
#
#   experiments/recover_mobilenetv2.sh [RATIO ...]
#
# What was chosen (steps, ridges, points of an image) was chosen on the first 500 alone: fitted to
# 320, its steps judged by 80, accuracy read on the last 100.
# Needs the data folder and a built coppice (common.sh). What is done is skipped. Prints the table;
# some five minutes a row on two quiet cores.
# shellcheck source=experiments/common.sh disable=SC2016,SC2086
source "$(dirname "$0")/common.sh"
model=$data/models/imagenet/mobilenet_v2_1.0_224.onnx
images="--data images:$data/imagenet-sample --preprocess mean=127.5,std=127.5,crop=224"
ratios=("$@")
[[ ${#ratios[@]} -eq 0 ]] && ratios=(0.1)

echo "| removed | channels by | steps | steps kept | top-1 % before | after |"
echo "| --- | --- | --- | --- | --- | --- |"
for ratio in "${ratios[@]}"; do
  for how in "l2 bias,merge" "l2 bias,merge,ls,bn" "l2 all" "reconstruction none" \
    "reconstruction all"; do
    read -r method steps <<<"$how"
    file=$out/$ratio-$method-$steps.onnx
    run "$file" prune "$model" --method $method --prune-ratio "$ratio" --round-to 1 $images \
      --recover $steps --latency off --plan "$file.plan.json"
    table '
      const found = read(args[0]), steps = found.recovered?.steps ?? [];
      const kept = steps.filter((step) => step.kept).map((step) => step.step).join(",");
      console.log(`| ${args[1]} | ${args[2]} | ${args[3]} | ${kept} | ` +
        `${percent(found.before.top1)} | ${percent(found.after.top1)} |`);
    ' "$ratio-$method-$steps.onnx" "$ratio" "$method" "$steps"
  done
done
