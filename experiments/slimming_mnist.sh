#!/usr/bin/env bash
# Network Slimming of the 784-500-300-10 network on MNIST, and what of it the penalty brings: 20
# epochs with the penalty, 80 % of each hidden layer cut (as in the paper, whose global rank emptied
# a layer), 20 of tuning. Controls: the same without a penalty, the same with random neurons, and the
# dense network for as long. Labels alone. Seeds 1 to 3, all reported, last epochs.
#
#   experiments/slimming_mnist.sh                 about 12 minutes on one thread
#   experiments/slimming_mnist.sh choose          the penalty, by held-out training images: 4
#
# Needs the data folder and a built coppice (common.sh). What is done is skipped, an interrupted run
# goes on. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
mode=${1:-report} seeds=(${SEEDS:-1 2 3}) lambda=1e-3
on=(--data "mnist:$data/mnist" --preprocess mnist --threads 1 --resume)
cut=(--prune-ratio 0.8 --round-to 1 --latency off)

# The file $1 by slimming with the penalty $2 and seed $3, and the options after them.
slim() {
  run "$1" prune zoo:mlp500-300-bn --method slimming --lambda "$2" --scope layer "${cut[@]}" \
    --epochs 20 --tune-epochs 20 --seed "$3" --plan "${1%.onnx}.plan.json" "${on[@]}" "${@:4}"
}

if [[ $mode == choose ]]; then
  lambdas=(0 1e-4 3e-4 1e-3 3e-3)
  for lambda in "${lambdas[@]}"; do slim "$out/choose-$lambda.onnx" "$lambda" 0 --val 0.0834; done
  table '
    console.log("| lambda | held-out error % |\n| --- | --- |");
    for (const lambda of args) {
      const last = read(`choose-${lambda}.onnx`).training.history.at(-1);
      console.log(`| ${lambda} | ${percent(1 - last.held_out.top1)} |`);
    }' "${lambdas[@]}"
  exit
fi

for seed in "${seeds[@]}"; do
  dense=$out/dense-seed$seed.onnx
  slim "$out/slim-seed$seed.onnx" $lambda "$seed"
  slim "$out/nothing-seed$seed.onnx" 0 "$seed"
  run "$dense" train zoo:mlp500-300-bn --epochs 20 --seed "$seed" "${on[@]}"
  run "$out/random-seed$seed.onnx" prune "$dense" --method random "${cut[@]}" --epochs 20 --lr 0.1 \
    --distill 0 --seed "$seed" --plan "$out/random-seed$seed.plan.json" "${on[@]}"
  run "$out/dense40-seed$seed.onnx" train zoo:mlp500-300-bn --epochs 40 --seed "$seed" "${on[@]}"
done
table '
  const rows = [["dense", "dense, 20 epochs"], ["dense40", "dense, 40 epochs"],
    ["slim", "slimming"], ["nothing", "the same without the penalty"],
    ["random", "dense, random neurons, 20 epochs"]];
  console.log(`| | ${args.map((seed) => `seed ${seed}`).join(" | ")} | mean |`);
  console.log(`| --- |${args.map(() => " --- |").join("")} --- |`);
  for (const [name, label] of rows) {
    const errors = args.map((seed) => read(`${name}-seed${seed}.onnx`))
      .map((json) => 1 - top1(json));
    console.log(`| ${label} | ${errors.map(percent).join(" | ")} | ${spread(errors)} |`);
  }
  const { before, after } = read(`slim-seed${args[0]}.onnx`);
  const fewer = percent(1 - after.parameters / before.parameters);
  console.log(`\n${after.parameters} of ${before.parameters} parameters stay, ${fewer} % go.`);
  ' "${seeds[@]}"
