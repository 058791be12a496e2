#!/usr/bin/env bash
# Taylor's greedy loop on LeNet-5 and MNIST: accuracy against the channels that are left beside
# channels taken at random by the same loop, and the same budget of MACs with and without costs
# counted. No training after the loop, so that it is the choice that counts. Seeds 1 to 3 of the
# loop, all reported; one trained model.
#
#   experiments/taylor_lenet5.sh                     about 15 minutes on one thread
#
# Needs the data folder and a built coppice (common.sh). What is done is skipped, an interrupted run
# goes on. Prints the tables.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
seeds=(${SEEDS:-1 2 3})
shares=(0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 0.95)
weights=(0 1e-3 1 3)
on=(--data "mnist:$data/mnist" --preprocess mnist --threads 1 --resume)
loop=(--epochs 1 --tune-epochs 0 --lr 0.01 --distill 0 --updates 2 --units-per-step 4
  --max-layer-ratio 0.98 --latency off)
dense=$out/dense.onnx

run "$dense" train zoo:lenet5 --epochs 4 --lr 0.01 --seed 1 "${on[@]}"
for seed in "${seeds[@]}"; do
  for share in "${shares[@]}"; do
    for method in taylor "random --greedy"; do
      name=$out/${method%% *}-$share-seed$seed
      run "$name.onnx" prune "$dense" --method $method --prune-ratio "$share" --seed "$seed" \
        --plan "$name.plan.json" "${loop[@]}" "${on[@]}"
    done
  done
  for weight in "${weights[@]}"; do
    name=$out/macs-$weight-seed$seed
    run "$name.onnx" prune "$dense" --method taylor --flops-weight "$weight" --keep-macs 0.3 \
      --seed "$seed" --plan "$name.plan.json" "${loop[@]}" "${on[@]}"
  done
done
table '
  const [shares, weights, seeds] = args.map((list) => list.split(" "));
  const of = (name) => seeds.map((seed) => read(`${name}-seed${seed}.onnx`));
  const mean_top1 = (jsons) => mean(jsons.map(top1));
  console.log("| channels that left | taylor % | random % |\n| --- | --- | --- |");
  let above = 0;
  for (const share of shares) {
    const [taylor, random] = ["taylor", "random"].map((name) => of(`${name}-${share}`));
    above += mean_top1(taylor) >= mean_top1(random);
    console.log(`| ${taylor[0].training.removed_channels} of 570 | ` +
      `${spread(taylor.map(top1))} | ${spread(random.map(top1))} |`);
  }
  console.log(`\ntaylor is at least level at ${above} of ${shares.length} points\n`);
  console.log("| --flops-weight | channels left | MACs | top-1 % |\n| --- | --- | --- | --- |");
  for (const weight of weights) {
    const runs = of(`macs-${weight}`);
    const left = mean(runs.map((run) => 570 - run.training.removed_channels)).toFixed(0);
    console.log(`| ${weight} | ${left} | ${mean(runs.map((run) => run.after.macs)).toFixed(0)} | ` +
      `${spread(runs.map(top1))} |`);
  }
  const times = of(`taylor-${shares.at(-1)}`).map((run) => run.training);
  const sum = (name) => times.reduce((all, time) => all + time[name], 0);
  console.log(`\ndeciding and cutting took ${percent(sum("removing_between_ms") /
    sum("removing_updates_ms"))} % of the updates` + "\x27 time");' \
  "${shares[*]}" "${weights[*]}" "${seeds[*]}"
