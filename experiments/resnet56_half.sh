#!/usr/bin/env bash
# ResNet-56 on CIFAR-10 at half its MACs, and what of the result the criterion, the teacher and the
# weights bring: every arm has the same budget and the same epochs.
#
#   experiments/resnet56_half.sh EPOCHS [ARM ...]      two to four minutes an epoch on two cores
#
#   fpgm         the README's line: cut by FPGM, trained by labels and the original (0.9)
#   l2, random   another criterion
#   alone        fpgm, trained by labels alone
#   scratch      the same widths from random weights, labels alone, rate 0.1 (scratch-E of Liu et al.,
#                Rethinking the Value of Network Pruning, ICLR 2019, arXiv:1810.05270)
#   dense        nothing cut: the trained model for as many epochs more, labels alone
#
# SEEDS=0, all threads and the CPU by default (THREADS=1 DEVICE=cuda). Needs the data folder and a
# built coppice (common.sh). What is done is skipped, an interrupted run goes on. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
epochs=${1:?how many epochs} arms=("${@:2}") seeds=(${SEEDS:-0})
[[ ${#arms[@]} -gt 0 ]] || arms=(fpgm l2 random alone scratch dense)
model=$data/models/cifar10/resnet56.onnx
on=(--data "cifar10:$data/cifar10" --preprocess imagenet --epochs "$epochs" --resume "${where[@]}")

# The file $1: the model cut by the method $2 and trained, with the options after them.
half() {
  run "$1" prune "$model" --method "$2" --keep-macs 0.5 --latency off --plan "${1%.onnx}.plan.json" \
    --seed "$seed" "${on[@]}" "${@:3}"
}

for seed in "${seeds[@]}"; do
  for arm in "${arms[@]}"; do
    file=$out/$arm-$epochs-seed$seed.onnx untrained=$out/untrained-seed$seed.onnx
    case $arm in
      fpgm | l2 | random) half "$file" "$arm" ;;
      alone) half "$file" fpgm --distill 0 ;;
      scratch)
        # Without training every group loses the same share: these are fpgm's widths.
        run "$untrained" prune zoo:resnet56 --method fpgm --keep-macs 0.5 --latency off \
          --plan "$out/untrained-seed$seed.plan.json" --seed "$seed"
        run "$file" train "$untrained" --from-scratch --seed "$seed" "${on[@]}"
        ;;
      dense) run "$file" train "$model" --seed "$seed" "${on[@]}" ;;
      *) echo "no arm '$arm'; expected fpgm, l2, random, alone, scratch or dense" >&2 && exit 2 ;;
    esac
  done
done
table '
  const [epochs, seeds, ...arms] = args;
  console.log(`| arm | ${seeds.split(" ").map((seed) => `seed ${seed}`).join(" | ")} | mean | minutes |`);
  console.log(`| --- |${seeds.split(" ").map(() => " --- |").join("")} --- | --- |`);
  for (const arm of arms) {
    const runs = seeds.split(" ").map((seed) => read(`${arm}-${epochs}-seed${seed}.onnx`));
    const tops = runs.map((json) => top1(json));
    const minutes = runs.map((json) =>
      json.training.history.reduce((sum, epoch) => sum + epoch.seconds, 0) / 60);
    console.log(`| ${arm} | ${tops.map(percent).join(" | ")} | ${spread(tops)} | ` +
      `${mean(minutes).toFixed(0)} |`);
  }' "$epochs" "${seeds[*]}" "${arms[@]}"
