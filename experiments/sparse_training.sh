#!/usr/bin/env bash
# Single weights masked while a net trains, or before: gradual pruning beside one-shot magnitude
# pruning, RigL beside static and randomly growing masks and the dense net, all at 90 %; SNIP, GraSP
# and SynFlow beside random masks from 10 % of the weights down to 0.1 %. Labels alone; seeds 1 to 3
# (resnet20: 1), all reported; last epochs.
#
#   experiments/sparse_training.sh lenet5      about 15 minutes on one thread
#   experiments/sparse_training.sh ladder      about 10 minutes on one thread
#   experiments/sparse_training.sh resnet20    about two hours on two threads
#
# Needs the data folder and a built coppice (common.sh). What is done is skipped, an interrupted run
# goes on. Prints the part's table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
part=${1:-lenet5}
seeds=(${SEEDS:-1 2 3})
mnist=(--data "mnist:$data/mnist" --preprocess mnist --threads 1)

# masked NAME MODEL OPTIONS...: one arm of a part.
masked() {
  local name=$out/$part-$1 model=$2
  shift 2
  run "$name.onnx" prune "$model" --distill 0 --latency off --plan "$name.plan.json" --resume "$@"
}

# arms MODEL TRAINED EPOCHS TUNING SEED DATA...: the arms at 90 %; MODEL is trained first where
# TRAINED is none.
arms() {
  local model=$1 trained=$2 epochs=$3 tuning=$4 seed=$5
  shift 5
  local on=(--seed "$seed" "$@") dense=$out/$part-dense-$seed.onnx
  run "$dense" train "$model" --epochs "$epochs" --resume "${on[@]}"
  [[ $trained == none ]] && trained=$dense
  for method in magnitude gradual; do
    masked "$method-$seed" "$trained" --method "$method" --sparsity 0.9 --epochs "$tuning" "${on[@]}"
  done
  for growth in gradient random none; do
    masked "$growth-$seed" "$model" --method rigl --growth "$growth" --sparsity 0.9 \
      --epochs "$epochs" "${on[@]}"
  done
}

case $part in
  lenet5) for seed in "${seeds[@]}"; do arms zoo:lenet5 none 4 4 "$seed" "${mnist[@]}"; done ;;
  resnet20)
    seeds=(1)
    arms zoo:resnet20 "$data/models/cifar10/resnet20.onnx" 12 4 1 --data "cifar10:$data/cifar10" \
      --preprocess imagenet "${where[@]}"
    ;;
  ladder)
    for seed in "${seeds[@]}"; do
      for sparsity in 0.9 0.95 0.98 0.99 0.999; do
        on=(--sparsity "$sparsity" --epochs 3 --seed "$seed" "${mnist[@]}")
        for method in snip grasp synflow; do
          masked "$method-$sparsity-$seed" zoo:lenet300-100 --method "$method" "${on[@]}"
        done
        masked "random-$sparsity-$seed" zoo:lenet300-100 --method rigl --growth none \
          --densities uniform "${on[@]}"
      done
    done
    ;;
  *) echo "unknown part '$part', expected lenet5, ladder or resnet20" >&2 && exit 1 ;;
esac

table '
  const [part, ...seeds] = args;
  const of = (name) => seeds.map((seed) => top1(read(`${part}-${name}-${seed}.onnx`)));
  if (part === "ladder") {
    const methods = ["snip", "grasp", "synflow", "random"];
    console.log(`| density | ${methods.join(" | ")} |\n| --- | --- | --- | --- | --- |`);
    for (const sparsity of ["0.9", "0.95", "0.98", "0.99", "0.999"]) {
      const row = methods.map((method) => spread(of(`${method}-${sparsity}`)));
      console.log(`| ${(100 * (1 - sparsity)).toFixed(1)} % | ${row.join(" | ")} |`);
    }
  } else {
    console.log("| arm | top-1 % |\n| --- | --- |");
    for (const [arm, name] of [["dense", "dense"], ["one-shot magnitude", "magnitude"],
      ["gradual", "gradual"], ["rigl", "gradient"], ["rigl, random growth", "random"],
      ["static random masks", "none"]]) console.log(`| ${arm} | ${spread(of(name))} |`);
  }' "$part" "${seeds[@]}"
