// A table in a document that a test writes: some of its rows anew, and the others as they were.
#pragma once

#include <string>
#include <vector>

namespace coppice {

struct MarkdownTable {
  std::string before, after;  // the document around it
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;  // by title

  // The first table of the text; none where there is none.
  static MarkdownTable read(const std::string& text);
  std::string text() const;

  // Into columns of these titles: those that had another are left out, and new ones are empty.
  void arrange(const std::vector<std::string>& new_titles);
  // In place of the row with the same first cell, or behind all.
  void put(std::vector<std::string> row);
};

}  // namespace coppice
