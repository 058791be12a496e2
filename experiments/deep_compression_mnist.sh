#!/usr/bin/env bash
# Deep Compression of LeNet-300-100 and LeNet-5 on MNIST: dense training, rounds of pruning and
# retraining, weight sharing, the container. Seeds 1, 2 and 3, all reported, last epochs.
#
#   experiments/deep_compression_mnist.sh lenet300-100 0.92
#   experiments/deep_compression_mnist.sh lenet5 0.92        NET, and the share of zeros
#
# SEEDS=2 runs that seed alone. One thread a run: the nets are small, and the numbers then don't depend on the machine's cores.
# Minutes a seed: experiments/README.md. Needs the data folder (COPPICE_DATA, or ../shared/data) and
# a built coppice (COPPICE, or the one in build/release/bin). What is done is skipped. Prints the
# table; writes to build/experiments/deep_compression/.
set -euo pipefail
cd "$(dirname "$0")/.."
net=$1 sparsity=$2 seeds=${SEEDS:-1 2 3}
case $net in
  lenet300-100) epochs=6 ;;
  lenet5) epochs=4 ;; # eleven seconds each
  *) echo "expected lenet300-100 or lenet5, found '$net'" >&2 && exit 2 ;;
esac
coppice=${COPPICE:-build/release/bin/coppice} data=mnist:${COPPICE_DATA:-../shared/data}/mnist
out=build/experiments/deep_compression
bits=conv=8,fc=5
mkdir -p $out

# $1 the file that the command gives; its JSON and its log lie beside it.
run() {
  local file=$1
  shift
  [[ -s $file.json ]] && return
  "$coppice" "$@" --json --threads 1 -o "$file" >"$file.part" 2>>"$file.log"
  mv "$file.part" "$file.json"
}

for seed in $seeds; do
  dense=$out/$net-seed$seed.onnx sparse=$out/$net-$sparsity-seed$seed.onnx
  run "$dense" train "zoo:$net" --data "$data" --preprocess mnist --epochs 20 --seed $seed --resume
  run "$sparse" prune "$dense" --method deep-compression --sparsity "$sparsity" --scope global \
    --rounds 4 --epochs $epochs --lr 0.03 --distill 0 --bits $bits --data "$data" --preprocess mnist --seed $seed --resume \
    --latency off --plan "${sparse%.onnx}.plan.json"
  run "${sparse%.onnx}.coppice" compress "$sparse"
done
node -e '
  const fs = require("fs"), [out, net, sparsity, seeds] = process.argv.slice(1);
  const read = (name) => JSON.parse(fs.readFileSync(`${out}/${name}.json`));
  console.log("| seed | dense error % | error % | nonzero | bytes | ratio | ratio, paper\u0027s accounting |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const seed of seeds.split(" ")) {
    const pruned = read(`${net}-${sparsity}-seed${seed}.onnx`);
    const packed = read(`${net}-${sparsity}-seed${seed}.coppice`);
    const error = (side) => (100 * (1 - side.top1)).toFixed(2);
    const paper = packed.bytes_before / packed.paper_pqh_bytes;
    console.log(`| ${seed} | ${error(pruned.before)} | ${error(pruned.after)} | ` +
      `${pruned.after.nonzeros} | ${packed.bytes_after} | ` +
      `${packed.ratio.toFixed(1)} | ${paper.toFixed(1)} |`);
  }' $out "$net" "$sparsity" "$seeds"
