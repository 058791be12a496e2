// See run_table.h.
#include "texts/run_table.h"

#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

using Text = std::string (*)(double value);

std::string count_text(double value) { return short_count(value); }
std::string number_text(double value) { return significant(value, 3); }

struct Column {
  const char* key;
  const char* title;
  Text text;
  bool spreads;  // from seed to seed
};

const Column kColumns[] = {{"surgery", "cut", percentage, true},
                           {"recovered", "recovered", percentage, true},
                           {"held_out", "trained", percentage, true},
                           {"judged", "", percentage, true},
                           {"macs", "MACs", count_text, false},
                           {"parameters", "parameters", count_text, false},
                           {"latency_ms", "latency", milliseconds, false},
                           {"epochs", "epochs", number_text, false},
                           {"learning_rate", "rate", number_text, false},
                           {"minutes", "minutes", number_text, false}};

std::string cell_of(const Column& column, const MeanAndDeviation& found) {
  if (!found.mean.contains(column.key)) return "-";
  const std::string mean = column.text(found.mean[column.key]);
  if (!column.spreads || !found.deviation.contains(column.key)) return mean;
  return mean + " +- " + column.text(found.deviation[column.key]);
}

std::string name_of(const RunRow& row) {
  return row.structure_of.empty() ? row.name : row.name + " (as " + row.structure_of + ")";
}

}  // namespace

std::string run_table(const Json& original, const std::vector<RunRow>& rows,
                      const std::string& judged_by) {
  std::vector<Table::Column> columns = {{"method"}};
  for (const Column& column : kColumns) {
    const bool judged = column.title[0] == '\0';
    columns.push_back({judged ? judged_by : column.title, Table::Align::right});
  }
  Table table(std::move(columns));
  const auto add = [&](const std::string& name, const MeanAndDeviation& found) {
    std::vector<std::string> cells = {name};
    for (const Column& column : kColumns) cells.push_back(cell_of(column, found));
    table.add(std::move(cells));
  };
  if (!original.is_null()) add("(original)", mean_and_deviation({original}));
  std::string failures;
  for (const RunRow& row : rows) {
    add(name_of(row), mean_and_deviation(row.runs));
    if (row.why_not.empty()) continue;
    failures += row.name + (row.runs.empty() ? " can't: " : " failed in some runs: ") +
                printable(row.why_not) + "\n";
  }
  return table.text() + failures +
         "top-1 of the images held out: once the channels are gone, once that was made up for, and "
         "at the end; then of " +
         judged_by + "\n";
}

}  // namespace coppice
