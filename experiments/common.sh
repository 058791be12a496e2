# shellcheck shell=bash disable=SC2016,SC2034
# What the experiments share; each sources it first. It goes to the repository's root and sets
#
#   coppice   the program: COPPICE, or the one in build/release/bin
#   data      the data folder: COPPICE_DATA, or ../shared/data
#   out       where results go: OUT, or build/experiments/<the script's name>
#   where     the options that say where to train: DEVICE (cpu, or cuda with a LibTorch that has it)
#             and THREADS, both as the program has them by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
coppice=${COPPICE:-build/release/bin/coppice} data=${COPPICE_DATA:-../shared/data}
out=${OUT:-build/experiments/$(basename "$0" .sh)}
where=(${DEVICE:+--device "$DEVICE"} ${THREADS:+--threads "$THREADS"})
mkdir -p "$out"

# Runs the program with the arguments after $1 and -o $1. Its JSON and its log lie beside $1; what is
# done is skipped.
run() {
  local file=$1
  shift
  [[ -s $file.json ]] && return
  "$coppice" "$@" --json -o "$file" >"$file.part" 2>>"$file.log"
  mv "$file.part" "$file.json"
}

# Runs the script $1 for node with the arguments after it; read(NAME) gives the JSON of $out/NAME,
# top1(json) the accuracy of what the command wrote, percent(x) two decimals of a share, and
# spread(xs) "mean +- standard deviation" of shares.
table() {
  local script=$1
  shift
  OUT=$out node -e '
    const fs = require("fs");
    const read = (name) => JSON.parse(fs.readFileSync(`${process.env.OUT}/${name}.json`));
    const top1 = (json) => json.after.top1 ?? json.judged.top1;  // prune, train
    const percent = (share) => (100 * share).toFixed(2);
    const mean = (xs) => xs.reduce((sum, x) => sum + x, 0) / xs.length;
    const spread = (xs) => xs.length < 2 ? percent(mean(xs)) : `${percent(mean(xs))} +- ` +
      percent(Math.sqrt(xs.reduce((sum, x) => sum + (x - mean(xs)) ** 2, 0) / (xs.length - 1)));
    const args = process.argv.slice(1);
    '"$script" -- "$@"
}
