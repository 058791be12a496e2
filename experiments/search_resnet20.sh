#!/usr/bin/env bash
# Widths of ResNet-20 on CIFAR-10 found by search, for half of its multiply-accumulates, from its
# trained weights (91.7 %): is what a search finds better than the same share of every layer?
#
#   experiments/search_resnet20.sh EPOCHS [ARM...]      about 2 hours on a core with 2 epochs
#
#   random     60 cuts drawn at random, statistics found anew before each is judged (EagleEye)
#   stale      the same cuts, judged by the statistics that the original had
#   evolution  6 generations of 20 cuts
#   amc        100 episodes of random actions, 150 that are learnt from, layers refitted
#   refitted   100 cuts drawn at random, layers refitted as amc's
#   uniform    the same share of every layer, no search; uniform-ls: refitted as amc's
#
# EPOCHS of tuning after all but stale and refitted, alike; 0: none. SEEDS="0 1 2", THREADS=1 and
# the CPU by default. 2,000 training images judge what is tried, 1,000 others what comes of it; the
# test images are read once a result. Needs the data folder and a built coppice (common.sh). What is
# done is skipped, an interrupted run goes on. Prints the tables.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
epochs=${1:?how many epochs} arms=("${@:2}") seeds=(${SEEDS:-0 1 2})
[[ ${#arms[@]} -gt 0 ]] || arms=(random stale evolution amc refitted uniform uniform-ls)
for seed in "${seeds[@]}"; do
  for arm in "${arms[@]}"; do
    case $arm in
      random) options=(--method random-search --candidates 60) ;;
      stale) options=(--method random-search --candidates 60 --recalibrate 0) ;;
      evolution) options=(--method evolution --population 20 --generations 6) ;;
      amc) options=(--method amc --episodes 250 --warm-up-episodes 100 --recalibrate 0
        --recover-images 200) ;;
      refitted) options=(--method random-search --candidates 100 --recalibrate 0 --recover ls
        --recover-images 200) ;;
      uniform) options=(--method l1) ;;
      uniform-ls) options=(--method l1 --recover ls --recover-images 200) ;;
      *) echo "no arm '$arm'; expected random, stale, evolution, amc, refitted, uniform or uniform-ls" >&2 && exit 2 ;;
    esac
    # As many images train whatever the arm.
    [[ $arm == uniform* ]] && parts=(--val 0.06) || parts=(--search-images 2000 --val 0.02)
    train=(--epochs "$epochs" --lr 0.03)
    [[ $epochs == 0 || $arm == stale || $arm == refitted ]] && train=()
    [[ $arm == uniform* && ${#train[@]} -eq 0 ]] && parts=()
    file=$out/search-$arm-$epochs-seed$seed.onnx
    run "$file" prune "$data/models/cifar10/resnet20.onnx" "${options[@]}" "${parts[@]}" \
      --keep-macs 0.5 --round-to 4 --data "cifar10:$data/cifar10" --preprocess imagenet \
      "${train[@]}" --seed "$seed" --latency off --plan "${file%.onnx}.plan.json" "${where[@]}"
  done
done
