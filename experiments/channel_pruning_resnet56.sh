#!/usr/bin/env bash
# Channel Pruning of ResNet-56 to half of its MACs, without labels and without training: how far
# the accuracy falls, what it is worth to choose by the LASSO, and what five epochs bring back.
#
#   experiments/channel_pruning_resnet56.sh           settings, by training images held out
#   experiments/channel_pruning_resnet56.sh test      those that were chosen, on the test set, once
#   experiments/channel_pruning_resnet56.sh tuned     the same cut and five epochs, on the test set,
#                                                     once: about 20 minutes on two quiet cores
#   experiments/channel_pruning_resnet56.sh compare   ways to choose at 75, 50 and 25 % kept, by
#                                                     training images held out
#
# The images held out are 3,000 of the fifth training batch; the method then looks at the first four
# alone. Needs the data folder and a built coppice (common.sh), and xz. What is done is skipped.
# shellcheck source=experiments/common.sh disable=SC2016
source "$(dirname "$0")/common.sh"
net=$data/models/cifar10/resnet56.onnx
common=(--method channel-pruning --round-to 1 --preprocess imagenet --latency off)

# A data set whose test part is held out of the training images.
held_out() {
  local folder=$out/held_out from
  from=$(realpath "$data/cifar10")
  mkdir -p "$folder"
  for batch in 1 2 3 4; do ln -sf "$from/data_batch_$batch.bin.xz" "$folder/"; done
  ln -sf "$from/data_batch_1.bin.xz" "$folder/data_batch_5.bin.xz"  # there must be five
  ln -sf "$from/batches.meta.txt" "$folder/"
  [[ -s $folder/test_batch.bin ]] ||
    xz -dc "$from/data_batch_5.bin.xz" | head -c $((3000 * 3073)) >"$folder/test_batch.bin" || true
  echo "cifar10:$folder"
}

prune() {
  local name=$1
  shift
  run "$out/$name.onnx" prune "$net" "${common[@]}" --plan "$out/$name.plan.json" "$@"
}

rows='
  console.log("| settings | top-1 | error of layers, mean | seconds |");
  console.log("| --- | --- | --- | --- |");
  for (const name of args) {
    const json = read(`${name}.onnx.json`), layers = json.regressed;
    const error = layers.reduce((sum, layer) => sum + layer.error, 0) / layers.length;
    console.log(`| ${name} | ${percent(json.before.top1)} -> ${percent(top1(json))} | ` +
      `${percent(error)} | ${json.seconds.toFixed(0)} |`);
  }'

case ${1:-choose} in
choose)
  spec=$(held_out)
  prune even --keep-macs 0.5 --share-by even --data "$spec"
  prune errors --keep-macs 0.5 --share-by errors --data "$spec"
  prune norm --keep-macs 0.5 --share-by errors --lasso-scale norm --data "$spec"
  prune losing --keep-macs 0.5 --share-by errors --refit losing --data "$spec"
  prune sampler --keep-macs 0.5 --share-by errors --sampler on --data "$spec"
  table "$rows" even errors norm losing sampler
  ;;
test)
  prune test --keep-macs 0.5 --data "cifar10:$data/cifar10"
  table "$rows" test
  ;;
tuned)
  prune tuned --keep-macs 0.5 --data "cifar10:$data/cifar10" --epochs 5 --lr 0.01 --seed 0 --resume \
    "${where[@]}"
  table "$rows" tuned
  ;;
compare)
  spec=$(held_out)
  names=()
  for lost in 0.25 0.5 0.75; do
    for choose in lasso l1 first response random; do
      prune "$choose-$lost" --prune-ratio $lost --choose $choose --data "$spec"
      names+=("$choose-$lost")
    done
    prune "lasso-unfitted-$lost" --prune-ratio $lost --refit none --data "$spec"
    names+=("lasso-unfitted-$lost")
  done
  table "$rows" "${names[@]}"
  ;;
esac
