#include "texts/sensitivity.h"

#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

constexpr Table::Align kRight = Table::Align::right;

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

}  // namespace

std::string text_of(const SensitivityReport& report, const std::vector<double>& ratios) {
  const bool curves = report.table.kind == SensitivityTable::Kind::curves;
  return curves ? curves_text(report.table, ratios) : correlations_text(report);
}

}  // namespace coppice
