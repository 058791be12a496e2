#include "texts/cut_summary.h"

#include <cmath>
#include <limits>

#include "report/format.h"
#include "report/table.h"
#include "texts/latency.h"

namespace coppice {
namespace {

constexpr Table::Align kRight = Table::Align::right;
constexpr size_t kMostGroups = 40;

// A row whose last cell is how many times smaller the number became.
void add_reduced(Table& table, const std::string& name, double before, double after,
                 std::string (*text)(double)) {
  const double factor = after > 0 ? before / after : 0;
  table.add({name, text(before), text(after), after > 0 ? times(factor) : ""});
  table.judge(3, verdict_of_factor(factor));
}

void add_counts(Table& table, const char* name, int64_t count_before, int64_t count_after) {
  add_reduced(table, name, static_cast<double>(count_before), static_cast<double>(count_after),
              short_count);
}

void add_median(Table& table, const std::string& name, const Latency& before,
                const Latency& after) {
  table.add({name, milliseconds(before.median_ms), milliseconds(after.median_ms),
             speedup_text(before, after)});
  table.judge(3, verdict_of_factor(speedup(before, after).value_or(1)));
}

void add_latency(Table& table, const Latency& before, const Latency& after) {
  add_median(table, "latency, median", before, after);
  table.add({"latency, fastest", milliseconds(before.min_ms), milliseconds(after.min_ms), ""});
  table.add({"latency, spread", percentage(before.spread), percentage(after.spread), ""});
}

// Judged as it is shown: equal to two decimals is neither.
Verdict verdict_of_accuracy(double before, double after) {
  if (percentage(before) == percentage(after)) return Verdict::none;
  return after > before ? Verdict::better : Verdict::worse;
}

void add_accuracy(Table& table, const std::string& name, double before, double after) {
  table.add({name, percentage(before), percentage(after), ""});
  table.judge(2, verdict_of_accuracy(before, after));
}

std::string cost_table(const CutSummary& summary, const Style& style) {
  const CutSide &before = summary.before, &after = summary.after;
  Table table({{""}, {"before", kRight}, {"after", kRight}, {"smaller by", kRight}});
  add_counts(table, "parameters", before.costs.parameters, after.costs.parameters);
  add_counts(table, before.costs.unknown > 0 ? "MACs of known layers" : "MACs", before.costs.macs,
             after.costs.macs);
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
  const auto bytes = static_cast<double>(before.bytes), left = static_cast<double>(after.bytes);
  add_reduced(table, "file", bytes, left, short_bytes);
  if (before.latency && after.latency) add_latency(table, *before.latency, *after.latency);
  if (before.deployed && after.deployed) {
    add_median(table, summary.engine + ", median", *before.deployed, *after.deployed);
  }
  if (before.accuracy && after.accuracy) {
    const std::string by = ", " + summary.judged_by;
    add_accuracy(table, "top-1" + by, before.accuracy->top1, after.accuracy->top1);
    add_accuracy(table, "top-5" + by, before.accuracy->top5, after.accuracy->top5);
    table.add({"loss" + by, significant(before.accuracy->loss, 5),
               significant(after.accuracy->loss, 5), ""});
  }
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  return table.text(kAll, style.width, style.colour);
}

std::string group_table(const std::vector<GroupCut>& groups, size_t width) {
  Table table({{"group"}, {"units", kRight}, {"left", kRight}, {"removed", kRight}});
  for (const GroupCut& group : groups) {
    if (group.before == group.after) continue;
    table.add({group.name, with_separators(group.before), with_separators(group.after),
               with_separators(group.before - group.after)});
  }
  return table.text(kMostGroups, width);
}

std::string layer_table(const std::vector<LayerDensity>& layers, size_t width) {
  Table table({{"layer"}, {"weights", kRight}, {"nonzero", kRight}, {"density", kRight}});
  for (const LayerDensity& layer : layers) {
    table.add({printable(layer.name), with_separators(layer.weights.all),
               with_separators(layer.weights.nonzero), percentage(1 - sparsity(layer.weights))});
  }
  return table.text(kMostGroups, width);
}

std::string cell_text(const ResultTable::Cell& cell, ResultTable::As as) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  const auto* number = std::get_if<double>(&cell);
  if (!number) return "";
  switch (as) {
    case ResultTable::As::count: return with_separators(std::llround(*number));
    case ResultTable::As::share: return percentage(*number);
    default: return significant(*number, 4);
  }
}

// Columns without a title are for JSON.
std::string result_table(const ResultTable& results) {
  std::vector<Table::Column> columns;
  for (const ResultTable::Column& column : results.columns) {
    if (column.title.empty()) continue;
    columns.push_back(
        {column.title, column.as == ResultTable::As::text ? Table::Align::left : kRight});
  }
  Table table(columns);
  for (const auto& row : results.rows) {
    std::vector<std::string> cells;
    for (size_t c = 0; c < row.size(); ++c) {
      const ResultTable::Column& column = results.columns[c];
      if (!column.title.empty()) cells.push_back(printable(cell_text(row[c], column.as)));
    }
    table.add(std::move(cells));
  }
  return table.text() + "\n";
}

std::string step_line(const RecoverStep& step) {
  const char* what = step.name == "basis" ? (step.corrected == 1 ? " stream" : " streams")
                                          : (step.corrected == 1 ? " layer" : " layers");
  std::string line = "  " + step.name;
  if (step.corrected > 0) line += ", " + with_separators(step.corrected) + what;
  if (step.unknown > 0) {
    line += " (" + with_separators(step.unknown) + " left alone: too little is known)";
  }
  if (step.before && step.after) {
    line += ": error of held-out outputs " + significant(*step.before, 3) + " -> " +
            significant(*step.after, 3) + (step.kept ? ", kept" : ", not kept");
  }
  return line + "\n";
}

std::string recovered_lines(const Recovered& recovered) {
  std::string text = "recovered:";
  for (const std::string& step : recovered.kept()) text += " " + step;
  if (recovered.kept().empty()) text += " nothing";
  text += "\n";
  for (const RecoverStep& step : recovered.steps) text += step_line(step);
  return text;
}

std::string proof_line(const CutSummary& summary) {
  if (!summary.changed) return "nothing was cut: shapes are the original's, weights are trained\n";
  if (!summary.unproved.empty()) return "not proved: " + printable(summary.unproved) + "\n";
  if (!summary.verified) return "not proved (--verify off)\n";
  const std::string when = summary.trained ? " before training" : "";
  if (!summary.proof) {
    return "checked" + when +
           ": masked weights are 0, everything else is the original's, bit for bit" +
           (summary.reordered ? "; channels that changed places compute the same" : "") +
           (summary.trained ? "; and after it: masked weights are still 0\n" : "\n");
  }
  return "proved" + when + ": " + text_of(*summary.proof, summary.proof_inputs) + "\n";
}

// What became of the accuracy, on images that no training saw.
std::string held_out_line(const CutSummary& summary, const Style& style) {
  if (!summary.held_out) return "";
  const auto& [original, cut, tuned] = *summary.held_out;
  return "top-1, held out: original " + percentage(original) + ", cut " +
         style.judged(percentage(cut), verdict_of_accuracy(original, cut)) + ", tuned " +
         style.judged(percentage(tuned), verdict_of_accuracy(original, tuned)) + "\n";
}

std::string budget_line(const CutSummary& summary) {
  if (!summary.budget || !summary.budget->notable()) return "";
  const BudgetMet& met = *summary.budget;
  std::string why = "no cut of this model comes nearer from below";
  // A budget is never exceeded but by the form in which channels are picked afterwards.
  if (met.option.starts_with("--keep-") && met.got > met.asked &&
      summary.before.costs.unknown == 0) {
    why =
        "the cut keeps to it, but the 1x1 convolutions that pick channels for this runtime cost "
        "the rest; --selections gathers has none";
  } else if (summary.rounding_moved != 0) {
    why = "widths are rounded, which --round-to 1 leaves out";
  }
  return "asked for " + met.option + " " + significant(met.asked, 3) + ", got " +
         significant(met.got, 3) + ": " + why + "\n";
}

std::string unknown_line(const CutSummary& summary) {
  const int64_t unknown = summary.before.costs.unknown;
  if (unknown == 0) return "";
  const bool none = summary.before.costs.macs == summary.after.costs.macs;
  return "of " + with_separators(unknown) + (unknown == 1 ? " layer" : " layers") +
         " the MACs aren't known (their shapes depend on data, or on an operator that coppice "
         "doesn't know): a budget of MACs rests on " +
         (none ? "parameters instead\n" : "those of the others\n");
}

// What the proof doesn't see: it masks shifts with filters.
std::string zeroed_line(const CutSummary& summary) {
  const auto& found = summary.zeroed_filters;
  if (!found || found->share <= kProofTolerance) return "";
  return "zeroing filters alone would differ by " + significant(found->difference, 2) + ", " +
         percentage(found->share) + " of the largest output: their normalisations and biases go, " +
         "too\n";
}

}  // namespace

std::string text_of(const Proof& proof, const std::string& inputs) {
  const Comparison& comparison = proof.comparison;
  std::string line =
      "largest difference " + significant(comparison.error, 2) + " on random inputs of " + inputs;
  if (proof.randomised_weights) {
    line += ", with random weights (the model's own hardly react to their input)";
  }
  const auto& around = proof.around;
  if (!around.empty()) {
    line += "; around " + printable(around.front()) +
            (around.size() > 1 ? " and " + with_separators(std::ssize(around) - 1) + " more nodes"
                               : std::string()) +
            ", which coppice can't run: what they read is compared, and what they give is taken as "
            "the same in both";
  }
  if (comparison.blind()) {
    line += "; but the outputs hardly react to the input, so this says little";
  }
  return line;
}

std::string text_of(const CutSummary& summary, const Style& style) {
  std::string text = style.strong(printable(summary.model)) + " pruned by " + summary.method +
                     " in " + duration(summary.seconds) + "\n\n" + cost_table(summary, style) +
                     "\n";
  if (!summary.groups.empty()) text += group_table(summary.groups, style.width) + "\n";
  if (!summary.layers.empty()) text += layer_table(summary.layers, style.width) + "\n";
  for (const ResultTable& table : summary.tables) {
    if (table.shown == ResultTable::Shown::printed) text += result_table(table);
  }
  if (summary.masked) {
    text += style.hint(
        "zeros take as much space as other weights until the model is compressed, and as much time "
        "but in a sparse runtime, such as that of 'coppice run'\n");
  }
  text += held_out_line(summary, style) + budget_line(summary);
  if (summary.rounding_moved != 0) {
    text += "rounding to even widths moved " + with_separators(summary.rounding_moved) +
            (summary.rounding_moved == 1 ? " unit\n" : " units\n");
  }
  if (summary.recovered) text += recovered_lines(*summary.recovered);
  if (summary.could_recover && !summary.trained) {
    text += style.hint("'--recover all' would make up for part of what left, without data\n");
  }
  if (summary.before.latency && summary.after.latency) {
    text += latency_lines(*summary.before.latency, *summary.after.latency);
  }
  text += unknown_line(summary) + proof_line(summary) + stored_line(summary.stored) +
          zeroed_line(summary);
  text += "wrote " + printable(summary.output) +
          (summary.plan.empty() ? "" : " and " + printable(summary.plan)) + "\n";
  return text + style.hint("again: " + printable(summary.command) + "\n");
}

std::string stored_line(const std::string& stored) {
  if (stored.empty()) return "";
  return "computed in float32, written in " + stored +
         ", as the model came; figures are of before that last cast\n";
}

std::string density_line(const DensityChange& change) {
  if (!change.notable()) return "";
  std::string line = "nonzero weights: " + percentage(1 - sparsity(change.before.weights)) +
                     " before, " + percentage(1 - sparsity(change.after.weights)) + " after";
  if (change.before.shared_layers > 0 || change.after.shared_layers > 0) {
    line += "; " + shared_layers_text(change.before.shared_layers) + " before, " +
            with_separators(change.after.shared_layers) + " after";
  }
  return line + "\n";
}

}  // namespace coppice
