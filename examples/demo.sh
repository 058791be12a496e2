#!/usr/bin/env bash
# The whole story on built-in data, in about a minute: train a network, prune it in two ways, bring
# its accuracy back, and look at what it brought. Called by './dev demo'; the argument is the command
# to show.
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

printf '=== LeNet-5 learns to read digits ===\n'
coppice train zoo:lenet5 --data digits --preprocess mnist --epochs 4 -o lenet5.onnx
printf '\n=== What in it could go? ===\n'
coppice inspect lenet5.onnx | awk '/^Pinned/ { exit } { print }'
printf '\n=== Whole filters go; the original teaches what is left ===\n'
coppice prune lenet5.onnx --data digits --keep-macs 0.2 --epochs 4 -o small.onnx
printf '\n=== Or single weights: nine of ten become zero and stay so ===\n'
coppice prune lenet5.onnx --data digits --method magnitude --sparsity 0.9 --scope global \
  --epochs 4 -o sparse.onnx --plan sparse.json
printf '\nsmall.onnx computes just what lenet5.onnx did with the removed channels at zero, before it was trained on.\n'
