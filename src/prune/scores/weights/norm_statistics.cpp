#include "prune/scores/weights/norm_statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "prune/scores/criteria.h"

namespace coppice {
namespace {

// The `count` units with the smallest scores, ties by number.
std::vector<char> least(const std::vector<float>& scores, int64_t count) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  std::vector<char> chosen(scores.size(), 0);
  for (int64_t i = 0; i < count; ++i) chosen[order[i]] = 1;
  return chosen;
}

double overlap_of(const GroupView& view, double removed) {
  const int64_t units = view.group.units();
  const auto count = std::max<int64_t>(1, std::llround(static_cast<double>(units) * removed));
  const std::vector<char> by_norm = least(find_criterion("l2").score(view), count);
  const std::vector<char> by_fpgm = least(find_criterion("fpgm").score(view), count);
  int64_t both = 0;
  for (int64_t u = 0; u < units; ++u) both += by_norm[u] && by_fpgm[u];
  return static_cast<double>(both) / static_cast<double>(count);
}

NormStatistics statistics_of(const std::vector<double>& norms) {
  NormStatistics result;
  result.units = std::ssize(norms);
  const auto count = static_cast<double>(norms.size());
  result.mean = std::accumulate(norms.begin(), norms.end(), 0.0) / count;
  double squares = 0;
  for (const double norm : norms) squares += std::pow(norm - result.mean, 2);
  result.deviation = std::sqrt(squares / count);
  const auto [least, most] = std::ranges::minmax_element(norms);
  result.least = *least;
  result.most = *most;
  return result;
}

}  // namespace

std::vector<NormStatistics> norm_statistics(const Graph& graph, const Groups& groups,
                                            double removed) {
  std::vector<NormStatistics> all;
  const ScoreOptions options;
  for (const Group& group : groups.free) {
    const size_t first = all.size();
    for (const Slice* slice : members_of(group)) {
      const Tensor& weight = *graph.value(slice->tensor).constant;
      if (weight.dtype() != DType::f32) continue;
      all.push_back(statistics_of(norms_of(weight, *slice, Power::square)));
      all.back().weight = slice->tensor;
    }
    if (all.size() == first) continue;
    const double overlap = overlap_of({graph, group, options}, removed);
    for (size_t i = first; i < all.size(); ++i) all[i].overlap = overlap;
  }
  return all;
}

}  // namespace coppice
