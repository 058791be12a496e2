// See table.h.
#include "report/table.h"

#include <algorithm>

#include "core/error.h"
#include "report/format.h"

namespace coppice {
namespace {

// Columns that the text takes: code points, for the names that users give in their own scripts.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  COPPICE_CHECK(cells.size() == columns_.size(), "a table row with " +
                                                     std::to_string(cells.size()) + " of " +
                                                     std::to_string(columns_.size()) + " cells");
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text(size_t most) const {
  const size_t shown = std::min(most, rows_.size());
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    widths.push_back(width_of(columns_[c].title));
    for (size_t r = 0; r < shown; ++r) widths[c] = std::max(widths[c], width_of(rows_[r][c]));
  }
  std::string text;
  const auto line = [&](const auto& cell_of) {
    std::string one;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const std::string& cell = cell_of(c);
      const std::string space(widths[c] - width_of(cell), ' ');
      if (c > 0) one += "  ";
      one += columns_[c].align == Align::right ? space + cell : cell + space;
    }
    one.erase(one.find_last_not_of(' ') + 1);
    text += one + "\n";
  };
  line([&](size_t c) -> const std::string& { return columns_[c].title; });
  for (size_t r = 0; r < shown; ++r) {
    line([&](size_t c) -> const std::string& { return rows_[r][c]; });
  }
  if (shown < rows_.size()) {
    text += "... and " + with_separators(static_cast<int64_t>(rows_.size() - shown)) + " more\n";
  }
  return text;
}

}  // namespace coppice
