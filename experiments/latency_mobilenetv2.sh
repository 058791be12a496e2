#!/usr/bin/env bash
# Is a budget of time worth more than one of multiply-accumulates, at the same measured time?
# MobileNetV2 is cut by --keep-latency, and by the --keep-macs whose cut takes as long here; both
# are recovered from the same 500 images of the ImageNet sample and read on the other 500, once.
#
#   experiments/latency_mobilenetv2.sh [SHARE ...]     0.85 0.75
#
# Needs the data folder, a built coppice (common.sh) and a quiet machine for its first part, some
# three minutes; then some five minutes a row on two cores. What is done is skipped. METHOD=l2.
# shellcheck source=experiments/common.sh disable=SC2016,SC2206
source "$(dirname "$0")/common.sh"
model=$data/models/imagenet/mobilenet_v2_1.0_224.onnx method=${METHOD:-reconstruction}
images=(--data "images:$data/imagenet-sample" --preprocess mean=127.5,std=127.5,crop=224)
shares=("$@")
[[ ${#shares[@]} -gt 0 ]] || shares=(0.85 0.75)
budgets=(0.95 0.9 0.85 0.8 0.75 0.7 0.65 0.6 0.55 0.5)

# What cuts take: the order of filters doesn't matter for that, so they go by their norms.
timed() {
  run "$out/timed-$1-$2.onnx" prune "$model" --method l2 "--$1" "$2" --recover none --threads 1 \
    --plan "$out/timed-$1-$2.plan.json"
}
for share in "${shares[@]}"; do timed keep-latency "$share"; done
for budget in "${budgets[@]}"; do timed keep-macs "$budget"; done
[[ ${TIMES_ALONE:-} ]] && exit

echo "| time kept | budget | MACs kept | top-1 % before | after |"
echo "| --- | --- | --- | --- | --- |"
for share in "${shares[@]}"; do
  # The budget of MACs whose cut takes as long as this one's, between the two nearest.
  budget=$(table '
    const kept = (name) => { const {before, after} = read(name);
      return after.latency_min_ms / before.latency_min_ms; };
    const wanted = kept(`timed-keep-latency-${args[0]}.onnx`);
    const points = args.slice(1).map((macs) => [Number(macs), kept(`timed-keep-macs-${macs}.onnx`)]);
    const above = points.filter(([, time]) => time >= wanted).at(-1) ?? points[0];
    const below = points.find(([, time]) => time < wanted) ?? points.at(-1);
    const part = above[1] === below[1] ? 0 : (wanted - below[1]) / (above[1] - below[1]);
    console.log((below[0] + part * (above[0] - below[0])).toFixed(3));
  ' "$share" "${budgets[@]}")
  for kind in "keep-latency $share" "keep-macs $budget"; do
    read -r option value <<<"$kind"
    file=$out/$method-$option-$value.onnx
    run "$file" prune "$model" --method "$method" "--$option" "$value" "${images[@]}" \
      --recover all --threads 1 --latency off --plan "$file.plan.json"
    table '
      const {before, after} = read(args[0]), timed = read(args[1]);
      const time = timed.after.latency_min_ms / timed.before.latency_min_ms;
      console.log(`| ${percent(time)} | --${args[2]} ${args[3]} | ` +
        `${percent(after.macs / before.macs)} | ${percent(before.top1)} | ${percent(after.top1)} |`);
    ' "$(basename "$file")" "timed-keep-latency-$share.onnx" "$option" "$value"
  done
done
