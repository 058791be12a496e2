#!/usr/bin/env bash
# ResNet-20 on CIFAR-10, cut to half its MACs by four criteria and trained for three epochs, two
# seeds each: does the criterion matter once the accuracy is brought back? fpgm also mixed with the
# norm (a quarter of what leaves), and soft: two epochs of zeroing and one after the cut, or three.
#
#   experiments/resnet20_criteria.sh                 about 50 minutes on two cores
#
# Needs the data folder (COPPICE_DATA, or ../shared/data) and a built
# coppice (COPPICE, or the one in build/release/bin). Runs that
# are done are skipped, an interrupted one goes on. Prints the table; writes to
# build/experiments/resnet20_criteria/.
set -euo pipefail
cd "$(dirname "$0")/.."
coppice=${COPPICE:-build/release/bin/coppice} data=${COPPICE_DATA:-../shared/data}
out=build/experiments/resnet20_criteria
methods="fpgm fpgm-mix fpgm-soft fpgm-soft-tuned l1 l2 random"
mkdir -p $out
for seed in 1 2; do
  for method in ${METHODS:-$methods}; do
    run=$out/$method-seed$seed
    [[ -s $run.json ]] && continue
    case $method in
      fpgm-mix) options="fpgm --norm-share 0.25 --epochs 3" ;;
      fpgm-soft) options="fpgm --soft --epochs 3" ;;
      fpgm-soft-tuned) options="fpgm --soft --epochs 2 --tune-epochs 1" ;;
      *) options="$method --epochs 3" ;;
    esac
    # shellcheck disable=SC2086  # options are words
    "$coppice" prune "$data/models/cifar10/resnet20.onnx" \
      --data "cifar10:$data/cifar10" --preprocess imagenet --method $options \
      --keep-macs 0.5 --seed $seed --resume --json --latency off -o $run.onnx --plan $run.plan.json \
      >$run.part 2>>$run.log
    mv $run.part $run.json
  done
done
node -e '
  const fs = require("fs"), [out, methods] = process.argv.slice(1);
  for (const method of methods.split(" ")) {
    const runs = [1, 2].map((seed) => JSON.parse(fs.readFileSync(`${out}/${method}-seed${seed}.json`)));
    const percent = (run) => (100 * run.after.top1).toFixed(2);
    console.log(`| ${method} | ${runs.map(percent).join(" | ")} |`);
  }' $out "${METHODS:-$methods}"
