#!/usr/bin/env bash
# ResNet-20 on CIFAR-10, cut to half its MACs by four criteria and trained for three epochs, two
# seeds each: does the criterion matter once the accuracy is brought back? fpgm also mixed with the
# norm (a quarter of what leaves), and soft: two epochs of zeroing and one after the cut, or three.
#
#   experiments/resnet20_criteria.sh                 about 50 minutes on two cores
#
# Needs the data folder and a built coppice (common.sh). Runs that are done are skipped, an
# interrupted one goes on. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
methods=(${METHODS:-fpgm fpgm-mix fpgm-soft fpgm-soft-tuned l1 l2 random})
for seed in 1 2; do
  for method in "${methods[@]}"; do
    case $method in
      fpgm-mix) options="fpgm --norm-share 0.25 --epochs 3" ;;
      fpgm-soft) options="fpgm --soft --epochs 3" ;;
      fpgm-soft-tuned) options="fpgm --soft --epochs 2 --tune-epochs 1" ;;
      *) options="$method --epochs 3" ;;
    esac
    # shellcheck disable=SC2086  # options are words
    run "$out/$method-seed$seed.onnx" prune "$data/models/cifar10/resnet20.onnx" \
      --data "cifar10:$data/cifar10" --preprocess imagenet --method $options --keep-macs 0.5 \
      --seed $seed --resume --latency off --plan "$out/$method-seed$seed.plan.json"
  done
done
table '
  for (const method of args) {
    const tops = [1, 2].map((seed) => read(`${method}-seed${seed}.onnx`).after.top1);
    console.log(`| ${method} | ${tops.map(percent).join(" | ")} |`);
  }' "${methods[@]}"
