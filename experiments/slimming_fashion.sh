#!/usr/bin/env bash
# Network Slimming of a half-width VGG-11 with BatchNormalization on Fashion-MNIST: 8 epochs of
# training for sparsity, 70 % of all channels cut by one global rank, 8 epochs of tuning. Controls:
# the same cut and tuning of a dense network of 8 epochs, by its scales (no penalty) and at random,
# and that network for 8 epochs more. Labels alone, last epochs.
#
#   experiments/slimming_fashion.sh [ARM ...]     slim nothing random dense16; SEEDS=1 by default
#
# About an hour and a half on one thread (THREADS=1; DEVICE=cuda). Needs the data folder and a built
# coppice (common.sh). What is done is skipped, an interrupted run goes on. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
arms=("$@") seeds=(${SEEDS:-1})
[[ ${#arms[@]} -gt 0 ]] || arms=(slim nothing random dense16)
on=(--data "fashion-mnist:$data/fashion-mnist" --preprocess "mean=0.286,std=0.353,scale=1/255"
  --resume "${where[@]}")
cut=(--prune-ratio 0.7 --round-to 1 --latency off)

for seed in "${seeds[@]}"; do
  dense=$out/dense-seed$seed.onnx
  run "$dense" train zoo:vgg11-bn-half --epochs 8 --seed "$seed" "${on[@]}"
  for arm in "${arms[@]}"; do
    file=$out/$arm-seed$seed.onnx
    plan=(--plan "$out/$arm-seed$seed.plan.json" --seed "$seed")
    tuning=(--scope global --epochs 8 --lr 0.05 --distill 0)
    case $arm in
      slim)
        run "$file" prune zoo:vgg11-bn-half --method slimming --lambda 7e-4 --epochs 8 \
          --tune-epochs 8 --tune-lr 0.05 "${cut[@]}" "${plan[@]}" "${on[@]}"
        ;;
      nothing) run "$file" prune "$dense" --method bn-scale "${tuning[@]}" "${cut[@]}" "${plan[@]}" "${on[@]}" ;;
      random) run "$file" prune "$dense" --method random "${tuning[@]}" "${cut[@]}" "${plan[@]}" "${on[@]}" ;;
      dense16) run "$file" train "$dense" --epochs 8 --lr 0.05 --seed "$seed" "${on[@]}" ;;
      *) echo "no arm '$arm'; expected slim, nothing, random or dense16" >&2 && exit 2 ;;
    esac
  done
done
table '
  const [seeds, ...arms] = args;
  console.log("| | top-1 % | parameters | MACs |\n| --- | --- | --- | --- |");
  for (const arm of ["dense", ...arms]) {
    const runs = seeds.split(" ").map((seed) => read(`${arm}-seed${seed}.onnx`));
    const { parameters = "", macs = "" } = runs[0].after ?? {};
    const tops = runs.map((json) => top1(json));
    console.log(`| ${arm} | ${spread(tops)} | ${parameters} | ${macs} |`);
  }' "${seeds[*]}" "${arms[@]}"
