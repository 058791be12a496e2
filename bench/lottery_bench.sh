#!/usr/bin/env bash
# What a round of `--method lottery` costs over plain training of as many updates: LeNet-300-100 on
# MNIST, batches of 60, in turns within one run.
#
#   bench/lottery_bench.sh [EPOCHS] [TURNS]      an epoch a round, 5 turns: some two minutes
#
# What both do once (starting, reading images) falls out of the differences: of training for five
# rounds' epochs more, and of five more rounds. Needs the data folder and a built coppice, as the scripts of
# experiments/ do (COPPICE, COPPICE_DATA, THREADS).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
coppice=${COPPICE:-build/release/bin/coppice} data=${COPPICE_DATA:-../shared/data}
epochs=${1:-1} turns=${2:-5}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
on=(--data "mnist:$data/mnist" --preprocess scale=0.003921569 --augment none --batch 60
  --optimizer adam --lr 1.2e-3 --schedule constant --quiet ${THREADS:+--threads "$THREADS"})

# Seconds of the command after $1, which is a file to write.
seconds() {
  local start=$EPOCHREALTIME
  "$coppice" "${@:2}" "${on[@]}" -o "$folder/$1.onnx" >/dev/null
  local end=$EPOCHREALTIME
  rm -rf "$folder"/*
  echo "$start $end" | awk '{ print $2 - $1 }'
}
train() { seconds train train zoo:lenet300-100 --from-scratch --epochs "$1"; }
lottery() {
  seconds ticket prune zoo:lenet300-100 --method lottery --rounds "$1" --epochs "$epochs" \
    --tickets "$folder/nets" --latency off
}

for ((turn = 0; turn < turns; ++turn)); do
  echo "$(train "$epochs") $(train $((6 * epochs))) $(lottery 1) $(lottery 6)"
done | awk '{ plain = ($2 - $1) / 5; round = ($4 - $3) / 5; print plain, round, round / plain }' |
  sort -n -k 3 | awk -v epochs="$epochs" '
  { plain[NR] = $1; round[NR] = $2; ratio[NR] = $3 }
  END {
    middle = int((NR + 1) / 2)
    printf "%d epochs: plain %.2f s, a round %.2f s, ratio %.3f (%.3f to %.3f in %d turns)\n", epochs,
      plain[middle], round[middle], ratio[middle], ratio[1], ratio[NR], NR
  }'
