// See rank_correlation.h.
#include "prune/sensitivity/rank_correlation.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace coppice {

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2;
    for (; begin < end; ++begin) ranks[order[begin]] = mean;
  }
  return ranks;
}

std::optional<double> rank_correlation(std::span<const double> a, std::span<const double> b) {
  COPPICE_CHECK(a.size() == b.size(), "rankings of different things");
  if (a.size() < 2) return std::nullopt;
  const std::vector<double> first = ranks_of(a), second = ranks_of(b);
  double squares = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    squares += (first[i] - second[i]) * (first[i] - second[i]);
  }
  const auto count = static_cast<double>(a.size());
  return 1 - 6 * squares / (count * (count * count - 1));
}

}  // namespace coppice
