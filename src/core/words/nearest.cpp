#include "core/words/nearest.h"

#include <algorithm>
#include <utility>

namespace coppice {
namespace {

// Letters to change, leave out, add, or swap with their neighbour, between two words.
size_t letters_between(const std::string& a, const std::string& b) {
  const size_t width = b.size() + 1;
  std::vector<size_t> two_before(width), before(width), row(width);
  for (size_t j = 0; j < width; ++j) before[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j < width; ++j) {
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], two_before[j - 2] + 1);
    }
    two_before.swap(before);
    before.swap(row);
  }
  return before.back();
}

// 0 the same, 1 nothing in common.
double difference(const std::string& word, const std::string& name) {
  constexpr size_t kLongest = 200;  // a name of a hostile model may be of any length
  if (word.empty() || name.empty() || std::max(word.size(), name.size()) > kLongest) return 1;
  const auto longest = static_cast<double>(std::max(word.size(), name.size()));
  const double by_letters = static_cast<double>(letters_between(word, name)) / longest;
  const bool within = name.find(word) != std::string::npos || word.find(name) != std::string::npos;
  const auto shortest = static_cast<double>(std::min(word.size(), name.size()));
  return within && shortest >= 3 ? std::min(by_letters, 0.3 * (1 - shortest / longest))
                                 : by_letters;
}

}  // namespace

std::vector<std::string> nearest(const std::string& word, const std::vector<std::string>& names,
                                 size_t most) {
  constexpr double kLike = 0.4;
  std::vector<std::pair<double, size_t>> like;
  for (size_t i = 0; i < names.size(); ++i) {
    if (const double found = difference(word, names[i]); found <= kLike)
      like.emplace_back(found, i);
  }
  std::ranges::sort(like);
  std::vector<std::string> found;
  for (size_t i = 0; i < std::min(most, like.size()); ++i) found.push_back(names[like[i].second]);
  return found;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
  const std::vector<std::string> found = nearest(word, names, 1);
  return found.empty() ? "" : "; did you mean '" + found.front() + "'?";
}

}  // namespace coppice
