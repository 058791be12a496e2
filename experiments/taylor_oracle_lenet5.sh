#!/usr/bin/env bash
# How well each criterion foretells what a unit is worth: Spearman's correlation with the oracle of
# Molchanov et al. (ICLR 2017), the loss of LeNet-5 on MNIST without each of its 570 units alone, on
# 1000 training images that the network never trained on; the criteria look at 1000 others. Three
# networks, trained for 3 epochs at rate 0.01 as everything else is by default. Seeds 1 to 3, all
# reported; nothing was chosen by these figures. Test images are read at the end of trainings alone.
#
#   experiments/taylor_oracle_lenet5.sh           about 5 minutes on two cores
#
# Needs the data folder and a built coppice (common.sh). What is done is skipped, an interrupted run
# goes on. Prints the table, and whether Taylor's expansion does what the paper says of it.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
seeds=(${SEEDS:-1 2 3})
on=(--data "mnist:$data/mnist" --preprocess mnist ${THREADS:+--threads "$THREADS"})

for seed in "${seeds[@]}"; do
  net=$out/lenet5-seed$seed.onnx oracle=$out/oracle-seed$seed
  run "$net" train zoo:lenet5 --epochs 3 --lr 0.01 --seed "$seed" --resume "${on[@]}"
  [[ -s $oracle.json ]] && continue
  "$coppice" sensitivity "$net" --oracle --images 1000 --seed "$seed" "${on[@]}" \
    -o "$oracle.table" --json >"$oracle.part" 2>>"$oracle.log"
  mv "$oracle.part" "$oracle.json"
done
table '
  const oracles = args.map((seed) => read(`oracle-seed${seed}`).correlations);
  const names = oracles[0].filter((found) => found.all !== null).map((found) => found.criterion);
  const figure = (name, key) => oracles.map((all) => all.find((x) => x.criterion === name)[key]);
  const cell = (xs) => {
    const middle = mean(xs), off = xs.reduce((sum, x) => sum + (x - middle) ** 2, 0);
    return `${middle.toFixed(2)} +- ${Math.sqrt(off / Math.max(1, xs.length - 1)).toFixed(2)}`;
  };
  console.log("| criterion | within layers | all units | all, l2 by layer |");
  console.log("| --- | --- | --- | --- |");
  for (const name of names) {
    const cells = ["by_group", "all", "all_normalised"].map((key) => cell(figure(name, key)));
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
  const layers = (name) => mean(figure(name, "by_group"));
  const say = (what, holds) => console.log(`${holds ? "holds" : "does NOT hold"}: ${what}`);
  console.log();
  if (!names.includes("taylor")) process.exit();
  const weights = names.filter((name) => ["l1", "l2", "min-weight"].includes(name));
  say("taylor within layers at least 0.6", layers("taylor") >= 0.6);
  say(`at least as good as ${weights.join(", ")}`,
    weights.every((name) => layers("taylor") >= layers(name)));
  say("at least 0.4 above random", layers("taylor") >= layers("random") + 0.4);
  say("over all units better with l2 by layer",
    mean(figure("taylor", "all_normalised")) > mean(figure("taylor", "all")));' "${seeds[@]}"
