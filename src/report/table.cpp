// See table.h.
#include "report/table.h"

#include <algorithm>

#include "core/error.h"
#include "report/format.h"
#include "report/layout.h"

namespace coppice {
void Table::add(std::vector<std::string> cells) {
  COPPICE_CHECK(cells.size() == columns_.size(), "a table row with " +
                                                     std::to_string(cells.size()) + " of " +
                                                     std::to_string(columns_.size()) + " cells");
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::widths(size_t rows, size_t width) const {
  constexpr size_t kLeast = 10;  // of a name that is still told from others
  std::vector<size_t> widths;
  size_t all = 2 * (columns_.size() - 1);
  for (size_t c = 0; c < columns_.size(); ++c) {
    widths.push_back(columns_of(columns_[c].title));
    for (size_t r = 0; r < rows; ++r) widths[c] = std::max(widths[c], columns_of(rows_[r][c]));
    all += widths[c];
  }
  while (width > 0 && all > width) {
    size_t widest = columns_.size();
    for (size_t c = 0; c < columns_.size(); ++c) {
      const bool words = columns_[c].align == Align::left && widths[c] > kLeast;
      if (words && (widest == columns_.size() || widths[c] > widths[widest])) widest = c;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
    --all;
  }
  return widths;
}

std::string Table::text(size_t most, size_t width, bool colour) const {
  const size_t shown = std::min(most, rows_.size());
  const std::vector<size_t> widths = this->widths(shown, width);
  std::string text;
  const auto line = [&](const auto& cell_of, const auto& verdict_of) {
    std::string one;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string cell = shortened(cell_of(c), std::max<size_t>(widths[c], 4));
      const size_t columns = columns_of(cell);
      const std::string space(widths[c] > columns ? widths[c] - columns : 0, ' ');
      if (c > 0) one += "  ";
      const std::string shown_cell = in_colour(cell, verdict_of(c));
      one += columns_[c].align == Align::right ? space + shown_cell : shown_cell + space;
    }
    one.erase(one.find_last_not_of(' ') + 1);
    text += one + "\n";
  };
  line([&](size_t c) -> const std::string& { return columns_[c].title; },
       [](size_t) { return Verdict::none; });
  for (size_t r = 0; r < shown; ++r) {
    line([&](size_t c) -> const std::string& { return rows_[r][c]; },
         [&](size_t c) {
           const auto found = verdicts_.find({r, c});
           return colour && found != verdicts_.end() ? found->second : Verdict::none;
         });
  }
  if (shown < rows_.size()) {
    text += "... and " + with_separators(static_cast<int64_t>(rows_.size() - shown)) + " more\n";
  }
  return text;
}

}  // namespace coppice
