#!/usr/bin/env bash
# The whole story on built-in networks, in under a minute: write one, look into it, prune it, check
# the cut, measure what it brought. Called by './dev demo'; the argument is the command to show.
set -euo pipefail
program=$(realpath "${1:?usage: examples/demo.sh COPPICE}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Shows a command as a user types it, and runs it.
coppice() {
  printf '\n$ coppice %s\n' "$*"
  "$program" "$@"
}

for network in lenet5 resnet20; do
  printf '\n=== %s ===\n' "$network"
  coppice zoo "$network" -o "$network.onnx"
  coppice inspect "$network.onnx" | awk '
    /^Groups/ { printing = 1 }
    /^Pinned/ { printing = 0 }
    printing || /nodes,|can be pruned$|^\$/'
  coppice prune "$network.onnx" -o "$network-small.onnx" --keep-macs 0.5 --plan "$network-plan.json"
  coppice verify "$network.onnx" "$network-small.onnx" --plan "$network-plan.json"
  coppice bench "$network.onnx" --batch 32
  coppice bench "$network-small.onnx" --batch 32
done
printf '\nEach cut computes just what the original does with the removed channels set to zero.\n'
printf 'The networks are untrained; with a trained one, --data shows the accuracy, too.\n'
