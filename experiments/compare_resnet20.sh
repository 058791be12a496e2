#!/usr/bin/env bash
# ResNet-20 on CIFAR-10 at half its MACs by every method that cuts channels, beside a random choice
# and the same structure from scratch: two epochs each, three seeds. The table by which to choose.
#
#   experiments/compare_resnet20.sh [METHOD,...]     all methods: about 3 minutes a run on two cores
#
# EPOCHS=2, REPEAT=3, RECOVER=all, all threads and the CPU by default (THREADS=1 DEVICE=cuda); IMAGES
# names other images. Needs the data folder and a built coppice (common.sh). What is done is kept, an
# interrupted comparison goes on. Prints the table.
# shellcheck source=experiments/common.sh disable=SC2016
source "$(dirname "$0")/common.sh"
"$coppice" compare "$data/models/cifar10/resnet20.onnx" --methods "${1:-all}" --keep-macs 0.5 \
  --round-to 1 --recover "${RECOVER:-all}" --data "${IMAGES:-cifar10:$data/cifar10}" \
  --preprocess imagenet --epochs "${EPOCHS:-2}" --repeat "${REPEAT:-3}" -o "$out/runs" \
  "${where[@]}" --json >"$out/compare.part" 2>>"$out/compare.log"
mv "$out/compare.part" "$out/compare.json"
table '
  const json = JSON.parse(fs.readFileSync(`${process.env.OUT}/compare.json`));
  const cell = (row, key) => row.mean[key] === undefined ? "-" : percent(row.mean[key]) +
    (row.deviation[key] === undefined ? "" : ` +- ${percent(row.deviation[key])}`);
  console.log(`| method | cut | recovered | trained | ${json.judged_by} | MACs kept | parameters kept | ` +
    "latency, ms | epochs | minutes |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  const {original} = json, fixed = (x, digits) => x === undefined || x === null ? "-" : x.toFixed(digits);
  console.log(`| (original) | - | - | - | ${percent(original.judged)} | 100 | 100 | ` +
    `${fixed(original.latency_ms, 2)} | - | - |`);
  for (const row of json.rows) {
    const name = row.structure_of ? `${row.name} (as ${row.structure_of})` : row.name;
    if (row.runs.length === 0) {
      console.log(`| ${name} | ${row.why_not} |`);
      continue;
    }
    console.log(`| ${name} | ${["surgery", "recovered", "held_out", "judged"].map((key) => cell(row, key)).join(" | ")} | ` +
      `${percent(row.mean.macs / original.macs)} | ${percent(row.mean.parameters / original.parameters)} | ` +
      `${fixed(row.mean.latency_ms, 2)} | ${row.mean.epochs} | ${fixed(row.mean.minutes, 1)} |`);
  }'
