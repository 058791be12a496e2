// A table as aligned text: a line of titles, then the rows; words to the left, numbers to the
// right, two spaces between columns and no lines drawn, so that it reads well in a terminal, in a
// log and in a bug report, and `awk` still gets at its columns.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "report/verdict.h"

namespace coppice {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Requires: one cell a column.
  void add(std::vector<std::string> cells);
  // The cell in column `column` of the row that was added last, where colour is shown.
  void judge(size_t column, Verdict verdict) { verdicts_[{rows_.size() - 1, column}] = verdict; }
  size_t rows() const { return rows_.size(); }

  // Ends with a newline. With more rows than `most`, the rest is one line "... and N more". Where
  // lines would be longer than `width`, words are shortened in the middle, the widest column first;
  // numbers never are. 0: any width. `colour` shows what was judged.
  std::string text(size_t most = std::numeric_limits<size_t>::max(), size_t width = 0,
                   bool colour = false) const;

 private:
  std::vector<size_t> widths(size_t rows, size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
  std::map<std::pair<size_t, size_t>, Verdict> verdicts_;  // by row and column
};

}  // namespace coppice
