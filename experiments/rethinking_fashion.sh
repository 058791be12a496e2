#!/usr/bin/env bash
# Weights or structure? LeNet-5 and a half-width VGG-11 with BatchNormalization on Fashion-MNIST: a
# predefined structure (l1, half of every layer's filters) and one that is found (LeNet-5: l1 over the
# network, as it has no scales; VGG-11: Network Slimming, 70 % of all channels), each tuned as in the
# paper (a quarter of the dense epochs at the dense net's last rate) and beside that retrained by the
# whole schedule (lr-rewind), trained from weights drawn anew for as many epochs (scratch-e) and for
# as much computation (scratch-b), and, where the dense net was trained, with channels drawn at random.
#
#   experiments/rethinking_fashion.sh [NET ...]       lenet5 vgg11-bn-half; SEEDS="1 2 3" by default
#
# EPOCHS=8 of dense training, rate 0.1 (0.01 without BatchNormalization), a tenth at 1/2 and 3/4;
# labels alone, last epochs. IMAGES names other images. By reckoning 20 minutes for LeNet-5 and 6 hours
# for VGG-11 on one thread (DEVICE=cuda for that). Needs the data folder and a built coppice (common.sh).
# What is done is skipped, an interrupted run goes on. Prints the tables.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
nets=("$@") seeds=(${SEEDS:-1 2 3}) epochs=${EPOCHS:-8}
[[ ${#nets[@]} -gt 0 ]] || nets=(lenet5 vgg11-bn-half)
tuned=$(((epochs + 3) / 4))
on=(--data "${IMAGES:-fashion-mnist:$data/fashion-mnist}" --preprocess "mean=0.286,std=0.353,scale=1/255"
  --resume "${where[@]}")
cut=(--round-to 1 --latency off --distill 0)
retrained=lr-rewind,scratch-e,scratch-b

for net in "${nets[@]}"; do
  rate=0.1
  [[ $net == lenet5 ]] && rate=0.01
  last=$(awk "BEGIN { print $rate / 100 }")
  for seed in "${seeds[@]}"; do
    name=$out/$net-seed$seed dense=$out/$net-dense-seed$seed.onnx
    arms=(--control-epochs "$epochs" --control-lr "$rate" --seed "$seed")
    tuning=(--epochs "$tuned" --lr "$last" --schedule constant --control-schedule step)
    run "$dense" train "zoo:$net" --epochs "$epochs" --lr "$rate" --schedule step --seed "$seed" \
      "${on[@]}"
    run "$name-predefined.onnx" prune "$dense" --method l1 --prune-ratio 0.5 "${cut[@]}" "${arms[@]}" \
      --control "random,$retrained" --plan "$name-predefined.plan.json" "${on[@]}" "${tuning[@]}"
    if [[ $net == lenet5 ]]; then
      run "$name-automatic.onnx" prune "$dense" --method l1 --scope global --prune-ratio 0.5 "${cut[@]}" \
        "${arms[@]}" --control "random,$retrained" --plan "$name-automatic.plan.json" "${on[@]}" "${tuning[@]}"
    else
      run "$name-automatic.onnx" prune "zoo:$net" --method slimming --lambda 7e-4 --prune-ratio 0.7 \
        --epochs "$epochs" --lr "$rate" --tune-epochs "$tuned" --tune-lr "$last" "${cut[@]}" "${arms[@]}" \
        --schedule step --control "$retrained" --plan "$name-automatic.plan.json" "${on[@]}"
    fi
  done
done
table '
  const [seeds, ...nets] = args;
  console.log("| net | structure | | top-1 % | MACs | epochs | rate |\n| --- | --- | --- | --- | --- | --- | --- |");
  for (const net of nets) {
    const all = (name) => seeds.split(" ").map((seed) => read(name(seed)));
    console.log(`| ${net} | dense | | ${spread(all((seed) => `${net}-dense-seed${seed}.onnx`).map(top1))} | | | |`);
    for (const structure of ["predefined", "automatic"]) {
      const runs = all((seed) => `${net}-seed${seed}-${structure}.onnx`);
      for (const [row, { name, macs, learning_rate: rate }] of runs[0].controls.entries()) {
        const found = runs.map((run) => run.controls[row]), why = found.find((run) => run.why_not);
        console.log(`| ${net} | ${structure} | ${row === 0 ? `${name}, tuned` : name} | ` + (why ? `${why.why_not} | | | |`
          : `${spread(found.map((run) => run.judged))} | ${macs} | ${found.map((run) => run.epochs).join(", ")} | ${rate} |`));
      }
    }
  }' "${seeds[*]}" "${nets[@]}"
