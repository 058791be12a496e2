#!/usr/bin/env bash
# What --recover brings by images and without training: trained models lose 10, 20 and 30 % of
# the channels of every group by their L2 norm, and the accuracy is read once, on the whole test
# set, beside what the model alone gives (recover_without_data.sh).
#
#   experiments/recover_with_data.sh [MODEL ...]
#
# The ImageNet sample has no test part: 500 of its 1000 images are measured on, the others judge
# (with nothing and by the model alone: all of them).
# Needs the data folder and a built coppice (common.sh). What is done is skipped. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
cifar10="--data cifar10:$data/cifar10" imagenet="--data images:$data/imagenet-sample"
models="
cifar10/resnet20 $cifar10 --preprocess imagenet
cifar10/resnet32 $cifar10 --preprocess imagenet
cifar10/resnet56 $cifar10 --preprocess imagenet
imagenet/mobilenet_v1_0.25_224 $imagenet --preprocess imagenet,crop=224
imagenet/mobilenet_v2_1.0_224 $imagenet --preprocess mean=127.5,std=127.5,crop=224
"

# The accuracy in per cent of side $2 (before, after) in report $1.
top1() {
  node -e 'const report = JSON.parse(require("fs").readFileSync(process.argv[1]));
           console.log((100 * report[process.argv[2]].top1).toFixed(2))' "$1" "$2"
}

echo "| model | removed | nothing | model alone, all | bias | bias,merge | all |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
while read -r model options; do
  [[ -z $model ]] && continue
  [[ $# -gt 0 && " $* " != *" $model "* ]] && continue
  for ratio in 0.1 0.2 0.3; do
    cut=$out/${model//\//_}-$ratio
    row=""
    for recover in "none" "all --recover-images 0" bias bias,merge all; do
      file=$cut-${recover// /}.onnx
      # shellcheck disable=SC2086  # options are words
      run "$file" prune "$data/models/$model.onnx" --prune-ratio $ratio --round-to 1 $options \
        --recover $recover --latency off --plan "$file.plan.json"
      rm -f "$file"
      row+=" $(top1 "$file.json" after) |"
    done
    echo "| $model ($(top1 "$cut-none.onnx.json" before)) | ${ratio/0./}0 % |$row"
  done
done <<<"$models"
