#!/usr/bin/env bash
# ResNet-20 on CIFAR-10 at one sparsity, one-shot and over all layers: what is left of the trained
# net is fine-tuned, trained again with the rate rewound, or rewound to an early epoch, to the first
# weights, or drawn anew (Renda, Frankle, Carbin, ICLR 2020). Short schedules: only the order of the
# arms says something.
#
#   experiments/lottery_resnet20.sh         12 epochs, 20 % left: about 65 minutes a seed on two cores
#
#   dense      trained by the schedule, a tenth of the rate from epoch 6 and 9 of 12
#   ft         its largest weights, 12 epochs at the last rate, 0.001
#   lr         the same with the schedule gone through again
#   late       rewound to the end of the first epoch
#   zero       rewound to the first weights
#   reinit     the mask of `zero` with weights drawn anew
#
# SEEDS=0, EPOCHS=12, SPARSITY=0.8, all threads and the CPU by default (THREADS=1 DEVICE=cuda). Needs
# the data folder and a built coppice (common.sh). What is done is skipped, an interrupted run goes
# on. The first convolution and the classifier are pruned, too, as in the paper's code. Prints the
# table and what was asked for of the arms.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
seeds=(${SEEDS:-0}) epochs=${EPOCHS:-12} sparsity=${SPARSITY:-0.8}
on=(--data "cifar10:$data/cifar10" --epochs "$epochs" --batch 128 --momentum-form plain
  --weight-decay 2e-4 --resume "${where[@]}")
falling=(--lr 0.1 --schedule step)
for seed in "${seeds[@]}"; do
  dense=$out/dense-seed$seed.onnx
  ticket() {
    local arm=$1 model=$2
    shift 2
    run "$out/$arm-seed$seed.onnx" prune "$model" --sparsity "$sparsity" --scope global \
      --plan "$out/$arm-seed$seed.plan.json" --latency off --seed "$seed" "${on[@]}" "$@"
  }
  run "$dense" train zoo:resnet20 --seed "$seed" "${on[@]}" "${falling[@]}"
  ticket ft "$dense" --method magnitude --lr 0.001 --schedule constant --distill 0
  ticket lr "$dense" --method lottery --rounds 1 --rewind lr --trained "${falling[@]}"
  ticket late zoo:resnet20 --method lottery --rounds 1 --rewind 1ep "${falling[@]}"
  ticket zero zoo:resnet20 --method lottery --rounds 1 --tickets "$out/zero-seed$seed" \
    --ticket-control reinit "${falling[@]}"
  drawn=$out/reinit-seed$seed.onnx
  [[ -s $drawn.json ]] || "$coppice" eval "$out/zero-seed$seed/round-01-drawn-anew-1-end.onnx" \
    --data "cifar10:$data/cifar10" --json "${where[@]}" >"$drawn.json"
done
table '
  const arms = ["dense", "ft", "lr", "late", "zero", "reinit"];
  const found = Object.fromEntries(arms.map((arm) => [arm, args.map((seed) => {
    const json = read(`${arm}-seed${seed}.onnx`);
    return json.top1 ?? top1(json);
  })]));
  console.log("| arm | test top-1 % | from dense, points |\n| --- | --- | --- |");
  for (const arm of arms) {
    console.log(`| ${arm} | ${spread(found[arm])} | ` +
      `${(100 * (mean(found[arm]) - mean(found.dense))).toFixed(2)} |`);
  }
  const points = (arm) => 100 * mean(found[arm]);
  const best = Math.max(points("ft"), points("lr"), points("late"));
  const criteria = [
    ["zero below the best of ft, lr and late, points", best - points("zero"), (x) => x >= 0.7, ">= 0.7"],
    ["reinit below it", best - points("reinit"), (x) => x >= 0.7, ">= 0.7"],
    ["late from lr", points("late") - points("lr"), (x) => Math.abs(x) <= 1, "within 1.0"],
  ];
  console.log("\n| criterion | found | asked | |\n| --- | --- | --- | --- |");
  for (const [what, number, holds, asked] of criteria) {
    console.log(`| ${what} | ${number.toFixed(2)} | ${asked} | ${holds(number) ? "holds" : "FAILS"} |`);
  }' "${seeds[@]}"
