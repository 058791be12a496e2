// See cut_summary.h.
#include "cli/cut_summary.h"

#include "cli/latency.h"
#include "onnx/onnx.h"
#include "report/format.h"
#include "report/table.h"
#include "session/parameters.h"

namespace coppice {
namespace {

constexpr Table::Align kRight = Table::Align::right;
constexpr size_t kMostGroups = 40;
// Outputs that move less than this share when the input is drawn anew can't show a wrong cut.
constexpr double kBlind = 1e-3;

std::string reduction(double before, double after) {
  return after > 0 ? times(before / after) : "";
}

void add_counts(Table& table, const char* name, int64_t before, int64_t after) {
  table.add({name, with_separators(before), with_separators(after),
             reduction(static_cast<double>(before), static_cast<double>(after))});
}

void add_latency(Table& table, const Latency& before, const Latency& after) {
  table.add({"latency, median", milliseconds(before.median_ms), milliseconds(after.median_ms),
             speedup_text(before, after)});
  table.add({"latency, fastest", milliseconds(before.min_ms), milliseconds(after.min_ms), ""});
  table.add({"latency, spread", percentage(before.spread), percentage(after.spread), ""});
}

std::string cost_table(const CutSummary& summary) {
  const CutSide &before = summary.before, &after = summary.after;
  Table table({{""}, {"before", kRight}, {"after", kRight}, {"smaller by", kRight}});
  add_counts(table, "parameters", before.costs.parameters, after.costs.parameters);
  add_counts(table, "MACs", before.costs.macs, after.costs.macs);
  if (summary.masked || summary.density.notable()) {
    const Density &was = summary.density.before, &is = summary.density.after;
    add_counts(table, "nonzero weights", was.weights.nonzero, is.weights.nonzero);
    table.add(
        {"sparsity", percentage(sparsity(was.weights)), percentage(sparsity(is.weights)), ""});
    if (was.shared_layers > 0 || is.shared_layers > 0) {
      table.add({"layers of shared values", with_separators(was.shared_layers),
                 with_separators(is.shared_layers), ""});
    }
  }
  add_counts(table, "file bytes", before.bytes, after.bytes);
  if (before.latency && after.latency) add_latency(table, *before.latency, *after.latency);
  if (before.accuracy && after.accuracy) {
    const auto add = [&](const std::string& name, double a, double b) {
      table.add({name, percentage(a), percentage(b), ""});
    };
    const std::string by = ", " + summary.judged_by;
    add("top-1" + by, before.accuracy->top1, after.accuracy->top1);
    add("top-5" + by, before.accuracy->top5, after.accuracy->top5);
    table.add({"loss" + by, significant(before.accuracy->loss, 5),
               significant(after.accuracy->loss, 5), ""});
  }
  return table.text();
}

std::string group_table(const std::vector<GroupCut>& groups) {
  Table table({{"group"}, {"units", kRight}, {"left", kRight}, {"removed", kRight}});
  for (const GroupCut& group : groups) {
    if (group.before == group.after) continue;
    table.add({group.name, with_separators(group.before), with_separators(group.after),
               with_separators(group.before - group.after)});
  }
  return table.text(kMostGroups);
}

std::string recovered_line(const Recovered& found) {
  const auto of = [&](const char* what, int64_t count) {
    return count == 0 ? std::string() : ", " + with_separators(count) + " " + what;
  };
  return "recovered: of " + with_separators(found.layers) +
         (found.layers == 1 ? " layer that loses inputs" : " layers that lose inputs") +
         of(found.bias == 1 ? "bias corrected" : "biases corrected", found.bias) +
         of("merged", found.merge) + of("with variances corrected", found.scale) +
         of("left alone (too little is known)", found.unknown) + "\n";
}

std::string proof_line(const CutSummary& summary) {
  if (!summary.changed) return "nothing was cut: shapes are the original's, weights are trained\n";
  if (!summary.verified) return "not proved (--verify off)\n";
  const std::string when = summary.trained ? " before training" : "";
  if (!summary.proof) {
    return "checked" + when +
           ": masked weights are 0, everything else is the original's, bit for bit" +
           (summary.trained ? "; and after it: masked weights are still 0\n" : "\n");
  }
  const Comparison& comparison = summary.proof->comparison;
  std::string line = "proved" + when + ": largest difference " + significant(comparison.error, 2) +
                     " on random inputs of " + summary.proof_inputs;
  if (summary.proof->randomised_weights) {
    line += ", with random weights (the model's own hardly react to their input)";
  }
  if (comparison.reaction < kBlind) {
    line += "; but the outputs hardly react to the input, so this says little";
  }
  return line + "\n";
}

Json side_json(const CutSide& side, const Density& density) {
  Json json = {
      {"parameters", side.costs.parameters}, {"macs", side.costs.macs}, {"bytes", side.bytes}};
  json.update(to_json(density));
  if (side.accuracy) {
    json["top1"] = side.accuracy->top1;
    json["top5"] = side.accuracy->top5;
    json["loss"] = side.accuracy->loss;
  }
  if (side.latency) json.update(latency_json(*side.latency));
  return json;
}

}  // namespace

CutSummary summarise(const Model& model, const Outcome& outcome) {
  CutSummary summary;
  summary.model = model.name;
  summary.method = outcome.plan.method;
  summary.before.costs = outcome.before;
  summary.before.bytes = model.bytes;
  summary.after.costs = outcome.after;
  summary.after.bytes = static_cast<int64_t>(onnx_bytes(outcome.graph));
  summary.groups = outcome.groups;
  summary.changed = !outcome.plan.slices.empty() || !outcome.plan.masks.empty();
  summary.rounding_moved = outcome.rounding_moved;
  summary.recovered = outcome.recovered;
  summary.could_recover =
      !outcome.plan.slices.empty() && !outcome.recovered && has_batch_norm(model.graph);
  summary.density = density_change(model.graph, outcome.graph);
  summary.masked = outcome.weights_after.has_value();
  summary.verified = outcome.verified;
  summary.proof = outcome.proof;
  if (outcome.proof) {
    summary.proof_inputs = describe_inputs(outcome.graph, outcome.proof->comparison.sizes);
  }
  return summary;
}

void print(const CutSummary& summary, const Console& console) {
  warn_if_denser(summary.density, console);
  std::string text = console.strong(printable(summary.model)) + " pruned by " + summary.method +
                     " in " + duration(summary.seconds) + "\n\n" + cost_table(summary) + "\n";
  if (!summary.groups.empty()) text += group_table(summary.groups) + "\n";
  if (summary.masked) {
    text += console.hint(
        "zeros take as much space and time as other weights, until the model is compressed or "
        "run by a sparse runtime\n");
  }
  if (summary.rounding_moved != 0) {
    text += "rounding to even widths moved " + with_separators(summary.rounding_moved) +
            (summary.rounding_moved == 1 ? " unit\n" : " units\n");
  }
  if (summary.recovered) text += recovered_line(*summary.recovered);
  if (summary.could_recover && !summary.trained) {
    text += console.hint("'--recover all' would make up for part of what left, without data\n");
  }
  if (summary.before.latency && summary.after.latency) {
    text += latency_lines(*summary.before.latency, *summary.after.latency);
  }
  text += proof_line(summary);
  text += "wrote " + printable(summary.output) +
          (summary.plan.empty() ? "" : " and " + printable(summary.plan)) + "\n";
  text += console.hint("again: " + printable(summary.command) + "\n");
  console.print(text);
}

Json to_json(const CutSummary& summary) {
  Json groups = Json::array();
  for (const GroupCut& group : summary.groups) {
    groups.push_back({{"name", group.name}, {"before", group.before}, {"after", group.after}});
  }
  Json json = {{"model", summary.model},
               {"method", summary.method},
               {"output", summary.output},
               {"before", side_json(summary.before, summary.density.before)},
               {"after", side_json(summary.after, summary.density.after)},
               {"denser", summary.density.denser()},
               {"groups", groups},
               {"rounding_moved", summary.rounding_moved},
               {"plan", summary.plan},
               {"verified", summary.verified},
               {"seconds", summary.seconds},
               {"command", summary.command}};
  if (summary.recovered) {
    const Recovered& found = *summary.recovered;
    json["recovered"] = {{"layers", found.layers},
                         {"bias", found.bias},
                         {"merge", found.merge},
                         {"scale", found.scale},
                         {"unknown", found.unknown}};
  }
  if (summary.proof) {
    json["proof"] = {{"error", summary.proof->comparison.error},
                     {"reaction", summary.proof->comparison.reaction},
                     {"inputs", summary.proof_inputs},
                     {"randomised_weights", summary.proof->randomised_weights}};
  }
  return json;
}

}  // namespace coppice
