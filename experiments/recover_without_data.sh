#!/usr/bin/env bash
# What --recover brings without data and without training: trained models lose 10, 20 and 30 % of
# the channels of every group by their L2 norm, and the accuracy is read once.
#
#   experiments/recover_without_data.sh [PICTURES] [MODEL ...]
#
# PICTURES: of each test set, all by default. Hours on two busy cores; with 2000 the four ResNets
# took ten minutes there, MobileNet v1 and Darknet eight; not timed on a quiet machine.
# Needs the data folder and a built coppice (common.sh). What is done is skipped. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
images=${1:-1000000}
out=$out/$images
mkdir -p "$out"
cifar10="--data cifar10:$data/cifar10" imagenet="--data images:$data/imagenet-sample"
models="
cifar10/resnet20 $cifar10 --preprocess imagenet
cifar10/resnet32 $cifar10 --preprocess imagenet
cifar10/resnet56 $cifar10 --preprocess imagenet
cifar10/resnet8_mlperf $cifar10 --preprocess none
imagenet/mobilenet_v1_0.25_224 $imagenet --preprocess imagenet,crop=224
imagenet/darknet_tiny_224 $imagenet --preprocess scale=1/255,crop=224
imagenet/mobilenet_v2_1.0_224 $imagenet --preprocess mean=127.5,std=127.5,crop=224
imagenet/squeezenet_1.0_deepcompressed_227 $imagenet --preprocess mean=104,117,123,order=bgr,resize=256,crop=227
mnist/lenet_300_100 --data mnist:$data/mnist --preprocess scale=1/255
"

# Prints the accuracy in per cent of $1 (a model), whose options are $2.
top1() {
  # shellcheck disable=SC2086  # options are words
  "$coppice" eval "$1" $2 --limit "$images" --json 2>>"$out/log" |
    node -e 'console.log((100 * JSON.parse(require("fs").readFileSync(0)).top1).toFixed(2))'
}

echo "| model | removed | nothing | bias | bias,merge | all |"
echo "| --- | --- | --- | --- | --- | --- |"
while read -r model options; do
  [[ -z $model ]] && continue
  [[ $# -gt 1 && " ${*:2} " != *" $model "* ]] && continue
  run=$out/${model//\//_}
  [[ -s $run ]] || top1 "$data/models/$model.onnx" "$options" >"$run"
  for ratio in 0.1 0.2 0.3; do
    row="| $model ($(cat "$run")) | ${ratio/0./}0 % |"
    for recover in "" bias bias,merge all; do
      cut=$run-$ratio-${recover:-nothing}
      if [[ ! -s $cut ]]; then
        "$coppice" prune "$data/models/$model.onnx" --prune-ratio $ratio --round-to 1 \
          ${recover:+--recover "$recover"} --latency off --json -o "$cut.onnx" \
          --plan "$cut.plan.json" >"$cut.json" 2>>"$out/log"
        top1 "$cut.onnx" "$options" >"$cut"
        rm "$cut.onnx"
      fi
      row+=" $(cat "$cut") |"
    done
    echo "$row"
  done
done <<<"$models"
