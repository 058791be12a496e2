#!/usr/bin/env bash
# Lottery tickets of LeNet-300-100 on MNIST, as in Frankle and Carbin, ICLR 2019 (Fig. 1 and 3 to 5):
# Adam at 0.0012, batches of 60, 5,000 images held out and looked at every 100 updates, layers lose
# 20, 20 and 10 % a round, 16 rounds. 16 epochs are 14,656 updates a round; the paper has 50,000.
#
#   experiments/lottery_lenet.sh            about 25 minutes a seed on an idle core
#
#   tickets    the rounds, each from the first weights; beside rounds 7, 9 and 11 the same mask with
#              weights drawn anew
#   one-shot   pruned at once to the densities of round 11
#
# SEEDS="0 1 2", the CPU by default (THREADS=1). Needs the data folder and a built coppice
# (common.sh). What is done is skipped, an interrupted run goes on. The held-out images choose where
# to stop early; the test images are read once a net, afterwards. Prints a table of the rounds and
# what of it was asked for.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
seeds=(${SEEDS:-0 1 2})
on=(--data "mnist:$data/mnist" --preprocess scale=0.003921569 --augment none --val 0.0833334
  --epochs 16 --batch 60 --optimizer adam --lr 1.2e-3 --schedule constant --weight-decay 0
  --clip-norm 0 --reinit glorot-normal --judge-every 100 --latency off --resume "${where[@]}")

# What a layer loses in 11 rounds at once.
at_once() { awk -v rate="$1" 'BEGIN { print 1 - (1 - rate) ^ 11 }'; }

# The test images' word on every net in a folder.
judge() {
  local net
  for net in "$1"/*.onnx; do
    [[ -s $net.json ]] && continue
    "$coppice" eval "$net" --data "mnist:$data/mnist" --json "${where[@]}" >"$net.part" 2>>"$1.log"
    mv "$net.part" "$net.json"
  done
}

for seed in "${seeds[@]}"; do
  name=$out/tickets-seed$seed
  run "$name.onnx" prune zoo:lenet300-100 --method lottery --rounds 16 --round-rate 0.2 \
    --round-rate fc3=0.1 --ticket-control reinit --ticket-control-rounds 7,9,11 \
    --tickets "$name" --plan "$name.plan.json" --seed "$seed" "${on[@]}"
  judge "$name"
  name=$out/one-shot-seed$seed
  run "$name.onnx" prune zoo:lenet300-100 --method lottery --rounds 1 \
    --round-rate "$(at_once 0.2)" --round-rate "fc3=$(at_once 0.1)" --tickets "$name" \
    --plan "$name.plan.json" --seed "$seed" "${on[@]}"
  judge "$name"
done
table '
  const runs = (name) => args.map((seed) => {
    const rows = read(`${name}-seed${seed}.onnx`).tickets;
    for (const row of rows) {
      const test = (when) => read(`${name}-seed${seed}/${row.file}-${when}.onnx`).top1;
      row.early_test = test("early");
      row.end_test = test("end");
    }
    return rows;
  });
  const tickets = runs("tickets"), shots = runs("one-shot");
  const over = (all, file, key) => all.map((rows) => rows.find((row) => row.file === file)[key]);
  const two = (number) => String(number).padStart(2, "0");
  const ticket = (round, key) => over(tickets, `round-${two(round)}`, key);
  const redrawn = (round, key) => over(tickets, `round-${two(round)}-drawn-anew-1`, key);
  const shot = (key) => over(shots, "round-01", key);
  const updates = (xs) => Math.round(mean(xs));
  const line = (round, what, density, get) =>
    console.log(`| ${round} | ${what} | ${percent(density)} | ${updates(get("early_stop_update"))} | ` +
      `${spread(get("early_test"))} | ${spread(get("end_test"))} |`);
  console.log("| round | net | density % | early stop | test there % | test at the end % |\n" +
    "| --- | --- | --- | --- | --- | --- |");
  for (let round = 0; round <= 16; ++round) {
    const density = ticket(round, "density")[0];
    line(round, "ticket", density, (key) => ticket(round, key));
    if ([7, 9, 11].includes(round)) line(round, "drawn anew", density, (key) => redrawn(round, key));
    if (round === 11) line("", "one-shot", shot("density")[0], shot);
  }
  const points = (xs, ys) => 100 * (mean(xs) - mean(ys));
  const early = (round) => mean(ticket(round, "early_stop_update"));
  const ladder = [100, 80.04, 64.06, 51.28, 41.05, 32.87, 26.32, 21.07, 16.88, 13.52, 10.83, 8.68,
    6.95, 5.57, 4.47, 3.58, 2.87];
  const off = Math.max(...ladder.map((density, round) =>
    Math.abs(100 * ticket(round, "density")[0] - density)));
  const later = (round) => mean(redrawn(round, "early_stop_update")) / early(round);
  const better = (round) => points(ticket(round, "early_test"), redrawn(round, "early_test"));
  const criteria = [
    ["a", "densities are off by at most, points", off, (x) => x < 0.0051, "0.005"],
    ["b", "test at 13.5 % less dense, points", points(ticket(9, "early_test"), ticket(0, "early_test")),
      (x) => x >= 0.15, ">= 0.15"],
    ["c", "test at 3.6 % from dense, points", points(ticket(15, "early_test"), ticket(0, "early_test")),
      (x) => Math.abs(x) <= 0.3, "within 0.3"],
    ["d", "early stop at 21.1 % over dense", early(7) / early(0), (x) => x <= 0.75, "<= 0.75"],
    ["e", "early stop drawn anew over ticket, 21.1 %", later(7), (x) => x >= 1.7, ">= 1.7"],
    ["e", "the same, 8.7 %", later(11), (x) => x >= 1.7, ">= 1.7"],
    ["f", "test of the ticket less drawn anew, 13.5 %, points", better(9), (x) => x >= 0.25, ">= 0.25"],
    ["f", "the same, 8.7 %", better(11), (x) => x >= 0.5, ">= 0.5"],
    ["g", "early stop one-shot over iterative, 8.7 %", mean(shot("early_stop_update")) / early(11),
      (x) => x >= 1.4, ">= 1.4"],
  ];
  console.log("\n| criterion | found | asked | |\n| --- | --- | --- | --- |");
  for (const [letter, what, found, holds, asked] of criteria) {
    console.log(`| ${letter}: ${what} | ${found.toFixed(3)} | ${asked} | ${holds(found) ? "holds" : "FAILS"} |`);
  }
  const masked = args.every((seed) => {
    const json = read(`tickets-seed${seed}.onnx`);
    return json.after.nonzeros <= json.tickets.at(-1).weights;
  });
  console.log(`| h: masked weights are 0 at every look and at the end | ${masked} | true | ` +
    `${masked ? "holds" : "FAILS"} |`);' "${seeds[@]}"
