#!/usr/bin/env bash
# ResNet-56 on CIFAR-10, cut to half its MACs by FPGM and brought back: the main line of README.md.
#
#   experiments/resnet56_fpgm.sh [EPOCHS] [SEED]     10 epochs: about 35 minutes on two cores; 20: 70
#
# Needs the data folder (COPPICE_DATA, or ../shared/data) and a built
# coppice (COPPICE, or the one in build/release/bin). Interrupted,
# the same line goes on. Writes to build/experiments/resnet56_fpgm/.
set -euo pipefail
cd "$(dirname "$0")/.."
coppice=${COPPICE:-build/release/bin/coppice} data=${COPPICE_DATA:-../shared/data} epochs=${1:-10} seed=${2:-0}
out=build/experiments/resnet56_fpgm
mkdir -p $out
"$coppice" prune "$data/models/cifar10/resnet56.onnx" \
  --data "cifar10:$data/cifar10" --preprocess imagenet --method fpgm --keep-macs 0.5 \
  --epochs "$epochs" --seed "$seed" --resume --json \
  -o "$out/epochs$epochs-seed$seed.onnx" --plan "$out/epochs$epochs-seed$seed.plan.json" \
  >"$out/epochs$epochs-seed$seed.json" 2>>"$out/epochs$epochs-seed$seed.log"
