#!/usr/bin/env bash
# Weights or structure? ResNet-20 on CIFAR-10 with 40 % of the filters of every block's first
# convolution cut by l1: tuned for a quarter of the epochs at the last rate, retrained by the whole
# schedule (lr-rewind), and trained from weights drawn anew for as many epochs (scratch-e) and for as
# much computation (scratch-b). One seed: orderings, not figures.
#
#   experiments/rethinking_resnet20.sh [EPOCHS]        16: about 65 minutes on two cores
#
# EPOCHS of dense training at 0.1, a tenth at 1/2 and 3/4; labels alone, last epochs. IMAGES names other
# images. Asked, in points: scratch-b no worse than scratch-e by more than 0.3, scratch-b within 1.0 of
# lr-rewind, lr-rewind no worse than tuning by more than 0.2, and scratch-b's multiply-accumulates less
# than an epoch short of the dense net's. Needs the data folder and a built coppice (common.sh). What is
# done is skipped, an interrupted run goes on. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016
source "$(dirname "$0")/common.sh"
epochs=${1:-16} seed=${SEED:-1}
on=(--data "${IMAGES:-cifar10:$data/cifar10}" --preprocess imagenet --seed "$seed" --resume "${where[@]}")
run "$out/dense.onnx" train zoo:resnet20 --epochs "$epochs" --lr 0.1 --schedule step "${on[@]}"
run "$out/pruned.onnx" prune "$out/dense.onnx" --method l1 --layer-ratio 'layer\d\.\d\.conv1$=0.4' \
  --epochs $(((epochs + 3) / 4)) --lr 0.001 --schedule constant --distill 0 --latency off \
  --control lr-rewind,scratch-e,scratch-b --control-epochs "$epochs" --control-lr 0.1 \
  --control-schedule step "${on[@]}"
table '
  const { controls, before } = read("pruned.onnx"), [tuned, rewind, e, b] = controls;
  console.log("| | top-1 % | MACs | epochs | rate |\n| --- | --- | --- | --- | --- |");
  console.log(`| dense | ${percent(before.top1)} | ${before.macs} | ${args[0]} | 0.1 |`);
  for (const { name, judged, macs, epochs, learning_rate: rate } of controls) {
    console.log(`| ${name} | ${percent(judged)} | ${macs} | ${epochs} | ${rate} |`);
  }
  const { training_macs: spent, dense_training_macs: given, images } =
    JSON.parse(fs.readFileSync(`${b.folder}/report.json`)).training;
  const asked = [["scratch-b >= scratch-e - 0.3", b.judged >= e.judged - 0.003],
    ["scratch-b within 1.0 of lr-rewind", Math.abs(b.judged - rewind.judged) <= 0.01],
    ["lr-rewind >= tuned - 0.2", rewind.judged >= tuned.judged - 0.002],
    ["scratch-b trains what the dense net does", spent <= given && spent + b.macs * images.training > given]];
  console.log("");
  for (const [what, met] of asked) console.log(`${met ? "met" : "not met"}: ${what}`);' "$epochs"
