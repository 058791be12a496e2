#!/usr/bin/env bash
# What a budget of MACs brings in the runtime that people deploy in: nets are cut to shares of their
# MACs, by the program of today and by another one (BEFORE, an older build, say), and all of a net
# run in turns in one process of ONNX Runtime, one thread.
#
#   BEFORE=coppice-of-before experiments/deploy_time.sh DIR [SHARE ...]
#
# DIR holds the nets, as tests/exports/export_torchvision.py --folded --fixed writes them; those
# among NETS are taken (five by default). ENGINE is onnxruntime or onnxruntime-web, FOR the runtime
# that today's program cuts for. Needs node and the engine's package. Cuts that are done are
# skipped; they run anew each time, some five seconds a net. Prints the table: time kept, of fastest
# runs, and of medians with their spread behind.
# shellcheck source=experiments/common.sh disable=SC2016
source "$(dirname "$0")/common.sh"
nets=$1
shift
shares=("$@")
[[ ${#shares[@]} -eq 0 ]] && shares=(0.9 0.7 0.5)
engine=${ENGINE:-onnxruntime}
goal=(${FOR:+--for "$FOR"})

# cut PROGRAM NAME NET SHARE [OPTION ...]
cut() {
  local program=$1 file=$out/$3.$2.$4.onnx
  local net=$3 share=$4
  shift 4
  [[ -s $file ]] && return
  "$program" prune "$nets/$net.onnx" -o "$file.part.onnx" --plan "$file.plan.json" --keep-macs "$share" \
    --verify off --latency off --quiet "$@" >>"$out/log" 2>&1
  mv "$file.part.onnx" "$file"
}

echo "| net | MACs kept | before | now | before, medians | now, medians |"
echo "| --- | --- | --- | --- | --- | --- |"
for net in ${NETS:-mobilenet_v2 resnet50 densenet121 shufflenet_v2_x1_0 resnext50_32x4d}; do
  files=("$nets/$net.onnx")
  for share in "${shares[@]}"; do
    [[ ${BEFORE:-} ]] && cut "$BEFORE" before "$net" "$share" && files+=("$out/$net.before.$share.onnx")
    cut "$coppice" now "$net" "$share" "${goal[@]}" && files+=("$out/$net.now.$share.onnx")
  done
  "$coppice" bench "${files[@]}" --engine "$engine" --json --quiet >"$out/$net.json"
  table '
    const [net, ...shares] = args;
    const rows = read(net).models, whole = rows[0].latency_ms;
    const of = (who, share) => rows.find((row) => row.model.endsWith(`.${who}.${share}.onnx`));
    const kept = (row) => row ? (row.latency_ms.min / whole.min).toFixed(3) : "-";
    const middle = (row) => row ? (row.latency_ms.median / whole.median).toFixed(3) +
      `, ${percent(row.spread)} %` : "-";
    for (const share of shares) {
      const before = of("before", share), now = of("now", share);
      console.log(`| ${net} | ${share} | ${kept(before)} | ${kept(now)} | ${middle(before)} | ` +
        `${middle(now)} |`);
    }
  ' "$net" "${shares[@]}"
done
