// Texts of several parts with commas between them, as options have them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace coppice {

// One part more than there are commas; any may be empty.
inline std::vector<std::string> between_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace coppice
