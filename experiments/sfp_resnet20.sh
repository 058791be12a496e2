#!/usr/bin/env bash
# ResNet-20 on CIFAR-10 from its trained weights (91.7 %): 30 % of the filters of every layer softly
# pruned by SFP and by ASFP. Does the drop at each zeroing shrink, do filters come back, and what is
# left? The paper has 90.83 after 200 epochs from scratch; its streams keep their width, ours don't.
#
#   experiments/sfp_resnet20.sh EPOCHS [ARM...]      20 epochs: about 30 minutes an arm on two cores
#
#   sfp, asfp    as the methods are, constants folded, the original teaching
#   sfp-zero     shifts and means zeroed with the filters
#   sfp-keep     constants dropped as they are
#   sfp-alone    sfp by labels alone, as in the paper
#   hard         the same filters cut first and trained then
#
# TUNE=0 epochs after the cut, SEEDS=0, all threads and the CPU by default (THREADS=1 DEVICE=cuda); IMAGES names other images.
# Needs the data folder and a built coppice (common.sh). What is done is skipped, an interrupted run
# goes on. Prints the tables: arms, and epoch by epoch what zeroing cost and what came back.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
epochs=${1:?how many epochs} arms=("${@:2}") seeds=(${SEEDS:-0})
trained=$epochs${TUNE:+-tuned$TUNE}
[[ ${#arms[@]} -gt 0 ]] || arms=(sfp asfp)
for seed in "${seeds[@]}"; do
  for arm in "${arms[@]}"; do
    case $arm in
      sfp | asfp) options=(--method "$arm") ;;
      sfp-zero) options=(--method sfp --bn-constant zero) ;;
      sfp-keep) options=(--method sfp --bn-constant keep) ;;
      sfp-alone) options=(--method sfp --distill 0) ;;
      hard) options=(--method l2) ;;
      *) echo "no arm '$arm'; expected sfp, asfp, sfp-zero, sfp-keep, sfp-alone or hard" >&2 && exit 2 ;;
    esac
    [[ $arm == hard || -z ${TUNE:-} ]] || options+=(--tune-epochs "$TUNE")
    file=$out/$arm-$trained-seed$seed.onnx
    run "$file" prune "$data/models/cifar10/resnet20.onnx" "${options[@]}" --prune-ratio 0.3 \
      --round-to 1 --data "${IMAGES:-cifar10:$data/cifar10}" --preprocess imagenet \
      --epochs "$epochs" --lr 0.01 --seed "$seed" --resume --latency off \
      --plan "${file%.onnx}.plan.json" "${where[@]}"
  done
done
table '
  const [epochs, seeds, ...arms] = args;
  const report = (arm, seed) => read(`${arm}-${epochs}-seed${seed}.onnx`);
  console.log("| arm | top-1 | MACs kept | zeroed filters alone would differ by |\n| --- | --- | --- | --- |");
  for (const arm of arms) {
    const runs = seeds.split(" ").map((seed) => report(arm, seed));
    console.log(`| ${arm} | ${spread(runs.map(top1))} | ` +
      `${percent(runs[0].after.macs / runs[0].before.macs)} | ` +
      `${runs.map((json) => json.zeroed_filters?.difference?.toPrecision(2) ?? "-").join(", ")} |`);
  }
  for (const arm of arms) {
    console.log(`\n${arm}, seed ${seeds.split(" ")[0]}\n\n| epoch | held out before | after zeroing | zeroed | ` +
      "revived of those before | chosen again |\n| --- | --- | --- | --- | --- | --- |");
    const {stages, history} = report(arm, seeds.split(" ")[0]).training;
    let before = stages[0].zeroed_filters ?? 0;
    for (const epoch of history) {
      console.log(`| ${epoch.epoch} | ${percent(epoch.held_out.top1)} | ` +
        `${epoch.held_out_after ? percent(epoch.held_out_after.top1) : "-"} | ` +
        `${epoch.zeroed_filters ?? "-"} | ${epoch.revived_filters ?? "-"} of ${before} | ` +
        `${epoch.rechosen_share === undefined ? "-" : percent(epoch.rechosen_share)} |`);
      before = epoch.zeroed_filters ?? 0;
    }
  }' "$trained" "${seeds[*]}" "${arms[@]}"
