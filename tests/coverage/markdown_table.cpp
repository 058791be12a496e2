#include "coverage/markdown_table.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace coppice {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Of "| a | b |".
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  for (size_t at = 1; at < line.size();) {
    const size_t end = std::min(line.find('|', at), line.size());
    if (end == line.size()) break;
    cells.push_back(trimmed(line.substr(at, end - at)));
    at = end + 1;
  }
  return cells;
}

std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + " |";
  return line + "\n";
}

}  // namespace

MarkdownTable MarkdownTable::read(const std::string& text) {
  MarkdownTable table;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool in_table = line.starts_with("|");
    if (in_table && table.after.empty()) {
      if (table.titles.empty()) {
        table.titles = cells_of(line);
      } else if (!line.starts_with("| ---")) {
        table.rows.push_back(cells_of(line));
      }
    } else {
      (table.titles.empty() ? table.before : table.after) += line + "\n";
    }
  }
  return table;
}

std::string MarkdownTable::text() const {
  std::string text =
      before + line_of(titles) + line_of(std::vector<std::string>(titles.size(), "---"));
  for (const std::vector<std::string>& row : rows) text += line_of(row);
  return text + after;
}

void MarkdownTable::arrange(const std::vector<std::string>& new_titles) {
  for (std::vector<std::string>& row : rows) {
    std::vector<std::string> arranged;
    for (const std::string& title : new_titles) {
      const auto found = static_cast<size_t>(std::ranges::find(titles, title) - titles.begin());
      arranged.push_back(found < row.size() ? row[found] : "");
    }
    row = std::move(arranged);
  }
  titles = new_titles;
}

void MarkdownTable::put(std::vector<std::string> row) {
  const auto same = std::ranges::find_if(
      rows, [&](const std::vector<std::string>& other) { return other.front() == row.front(); });
  if (same == rows.end()) {
    rows.push_back(std::move(row));
  } else {
    *same = std::move(row);
  }
}

}  // namespace coppice
