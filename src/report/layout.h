// Texts fitted into so many columns: shortened in the middle, or wrapped at words.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace coppice {

// Columns that the text takes: code points, for the names that users give in their own scripts.
size_t columns_of(const std::string& text);

// The text, or its two ends with "..." between them where it takes more than `most` columns: the
// ends of names tell them apart. Requires: most > 3.
std::string shortened(const std::string& text, size_t most);

// Lines of at most `width` columns, if no word takes more.
std::vector<std::string> wrapped(const std::string& text, size_t width);

// Names, each with what there is to say of it beside it, paragraph by paragraph.
struct Entry {
  std::string name;
  std::vector<std::string> paragraphs;
};
std::string entries_text(const std::vector<Entry>& entries, size_t width);

}  // namespace coppice
