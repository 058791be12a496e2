// coppice sensitivity: what each group is worth, as curves, or unit by unit beside what the
// criteria say.
#include "tasks/sensitivity.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "report/format.h"
#include "report/table.h"
#include "session/options/data_options.h"

namespace coppice {
namespace {

constexpr Table::Align kRight = Table::Align::right;

struct Options {
  std::string model, output;
  GivenOptions given;
};

SensitivityRequest request_of(const Options& options) {
  return {.model = options.model,
          .output = options.output,
          .settings = options.given.settings(options_of_sensitivity())};
}

std::string value_text(const SensitivityTable& table, double value) {
  return table.by == SensitivityTable::By::accuracy ? percentage(value) : significant(value, 2);
}

// The last point with so many units or fewer than the ratio says: narrow groups have one for
// several ratios. Nothing where the curve ended before.
std::string cell(const SensitivityTable& table, const GroupSensitivity& group, double ratio) {
  const CurvePoint* last = nullptr;
  for (const CurvePoint& point : group.points) {
    if (point.ratio <= ratio) last = &point;
  }
  if (!last) return value_text(table, table.value);
  const bool ended = last == &group.points.back() && last->ratio < ratio;
  const auto wanted = static_cast<int64_t>(static_cast<double>(group.units) * ratio + 1e-9);
  return ended && wanted > last->leaving ? "-" : value_text(table, last->value);
}

std::string curves_text(const SensitivityTable& table, const std::vector<double>& ratios) {
  std::vector<Table::Column> columns = {{"group"}, {"units", kRight}};
  for (const double ratio : ratios)
    columns.push_back({"-" + significant(100 * ratio, 3) + " %", kRight});
  Table text(columns);
  for (const GroupSensitivity& group : table.groups) {
    std::vector<std::string> cells = {printable(group.name), with_separators(group.units)};
    for (const double ratio : ratios) cells.push_back(cell(table, group, ratio));
    text.add(cells);
  }
  const bool accuracy = table.by == SensitivityTable::By::accuracy;
  return text.text() + "\n" +
         (accuracy ? "top-1 of " + with_separators(table.images) + " " + table.judged_by +
                         "; the whole model has " + percentage(table.value)
                   : "relative error of the outputs for " + with_separators(table.images) + " " +
                         table.judged_by) +
         "\n";
}

std::string correlations_text(const SensitivityReport& report) {
  const auto number = [](const std::optional<double>& x) {
    char text[16] = "-";
    if (x) std::snprintf(text, sizeof(text), "%.2f", *x);
    return std::string(text);
  };
  Table text(
      {{"criterion"}, {"within groups", kRight}, {"all units", kRight}, {"all, l2", kRight}});
  int64_t units = 0;
  for (const GroupSensitivity& group : report.table.groups) units += group.units;
  for (const CriterionCorrelation& found : report.correlations) {
    text.add(
        {found.criterion, number(found.by_group), number(found.all), number(found.all_normalised)});
  }
  return text.text() + "\nrank correlation with what the loss changes by without each of " +
         with_separators(units) + " units of " + std::to_string(report.table.groups.size()) +
         " groups, on " + with_separators(report.table.images) + " " + report.table.judged_by +
         "\n";
}

Result sensitivity(const Options& options, Invocation& run) {
  SensitivityRequest request = request_of(options);
  request.common = run.common();
  const SensitivityReport report = sensitivity(request, static_cast<Watcher&>(run));
  if (report.table.kind == SensitivityTable::Kind::curves) {
    run.console.print(curves_text(report.table, request.settings[kRatios]));
  } else {
    run.console.print(correlations_text(report));
    for (const CriterionCorrelation& found : report.correlations) {
      if (!found.why_not.empty()) run.console.remark(found.criterion + ": " + found.why_not);
    }
  }
  return {.json = to_json(report)};
}

}  // namespace

Action define_sensitivity(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  options->given.add(app, options_of_sensitivity());
  options->given.require(kData);
  app.add_option("-o,--output", options->output,
                 "the .json file that keeps what is measured, for\n"
                 "'coppice prune --allocate sensitivity', and so that the\n"
                 "same command goes on with it")
      ->type_name("FILE");
  add_common_options(app, common);
  app.parse_complete_callback([options] { check(request_of(*options)); });
  return [options](Invocation& run) { return sensitivity(*options, run); };
}

}  // namespace coppice
