// See layout.h.
#include "report/layout.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "report/format.h"

namespace coppice {
namespace {

constexpr char kCut[] = "...";

bool begins_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

// Where code point number `n` begins.
size_t offset_of(const std::string& text, size_t n) {
  size_t at = 0;
  while (at < text.size() && (n > 0 || !begins_code_point(text[at]))) {
    if (begins_code_point(text[at])) --n;
    ++at;
  }
  return at;
}

}  // namespace

size_t columns_of(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, begins_code_point));
}

std::string shortened(const std::string& text, size_t most) {
  const size_t columns = columns_of(text);
  if (columns <= most) return text;
  const size_t kept = most - (sizeof(kCut) - 1), front = kept / 2;
  return text.substr(0, offset_of(text, front)) + kCut +
         text.substr(offset_of(text, columns - (kept - front)));
}

std::vector<std::string> wrapped(const std::string& text, size_t width) {
  std::istringstream words(text);
  std::vector<std::string> lines;
  for (std::string word; words >> word;) {
    const bool fits = !lines.empty() && columns_of(lines.back()) + 1 + columns_of(word) <= width;
    if (fits) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

std::string entries_text(const std::vector<Entry>& entries, size_t width) {
  const size_t most = width / 3;  // of a name beside its text; a longer one has its own line
  size_t names = 0;
  for (const Entry& entry : entries) {
    if (columns_of(entry.name) <= most) names = std::max(names, columns_of(entry.name));
  }
  const size_t indent = names + 2;
  std::string text;
  for (const Entry& entry : entries) {
    std::string lead = printable(entry.name);
    if (columns_of(lead) > names) text += std::exchange(lead, "") + "\n";
    lead.append(indent - columns_of(lead), ' ');
    for (const std::string& paragraph : entry.paragraphs) {
      for (const std::string& line : wrapped(printable(paragraph), width - indent)) {
        text += lead + line + "\n";
        lead.assign(indent, ' ');
      }
    }
  }
  return text;
}

}  // namespace coppice
