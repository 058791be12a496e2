// fpgm: how far a filter lies from all others of its layer. The filter nearest to the geometric
// median is the one that the others can best stand in for.
//
// Source: He, Liu, Wang, Hu, Yang, "Filter Pruning via Geometric Median for Deep Convolutional
// Neural Networks Acceleration", CVPR 2019, arXiv:1811.00250, equation 8: g(x) = sum_j ||x -
// F_j||_2. The mix of section 4.1: a part leaves by norm, the rest by the distances among those
// that the norm has left.

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "prune/scores/criteria.h"

namespace coppice {

extern const Criterion kL2;

namespace {

const NumberOption kNormShare({"norm-share", "SHARE",
                               "share of the filters that leaves by norm, the rest by distance"},
                              {.low = 0, .high = 1}, 0);

// Directly, not as |a|^2 + |b|^2 - 2ab: that loses just the near-duplicates that matter here.
double squared_distance(const std::vector<float>& a, const std::vector<float>& b) {
  std::array<float, 16> sums{};
  size_t i = 0;
  double total = 0;
  for (; i + sums.size() <= a.size(); i += sums.size()) {
    for (size_t k = 0; k < sums.size(); ++k) {
      const float d = a[i + k] - b[i + k];
      sums[k] += d * d;
    }
  }
  for (; i < a.size(); ++i) total += static_cast<double>(a[i] - b[i]) * (a[i] - b[i]);
  total = std::accumulate(sums.begin(), sums.end(), total);
  // Beyond these, squares of floats have lost bits or all: then slowly, in double.
  constexpr double kSmall = 1e-30, kLarge = 1e30;
  if (total > kSmall && total < kLarge) return total;
  total = 0;
  for (i = 0; i < a.size(); ++i) total += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return total;
}

using Filters = std::vector<std::vector<float>>;

template <typename Visit>
void for_each_distance(const Filters& filters, Visit visit) {
  for (size_t i = 0; i < filters.size(); ++i) {
    for (size_t j = i + 1; j < filters.size(); ++j) {
      visit(i, j, std::sqrt(squared_distance(filters[i], filters[j])));
    }
  }
}

std::vector<double> sums_of_distances(const Filters& filters) {
  std::vector<double> sums(filters.size(), 0);
  for_each_distance(filters, [&](size_t i, size_t j, double distance) {
    sums[i] += distance;
    sums[j] += distance;
  });
  return sums;
}

// [units][units], over coupled layers added up, or the largest; each divided by its mean.
using Distances = std::vector<std::vector<double>>;

Distances distances_of(const std::vector<Filters>& members, Aggregate aggregate) {
  const size_t units = members.front().size();
  Distances distances(units, std::vector<double>(units, 0));
  for (const Filters& filters : members) {
    std::vector<double> found;
    for_each_distance(filters, [&](size_t, size_t, double d) { found.push_back(d); });
    const double total = std::accumulate(found.begin(), found.end(), 0.0);
    if (total <= 0) continue;
    auto next = found.begin();
    for (size_t i = 0; i < units; ++i) {
      for (size_t j = i + 1; j < units; ++j, ++next) {
        const double before = distances[i][j], own = *next / total;
        distances[i][j] = aggregate == Aggregate::max ? std::max(before, own) : before + own;
        distances[j][i] = distances[i][j];
      }
    }
  }
  return distances;
}

// The place of each unit in the order of leaving, from 1, over the number of units.
std::vector<float> mix(const Distances& distances, const std::vector<float>& norms, double share) {
  const size_t units = norms.size();
  std::vector<double> sums(units, 0);
  for (size_t i = 0; i < units; ++i) {
    sums[i] = std::accumulate(distances[i].begin(), distances[i].end(), 0.0);
  }
  std::vector<float> places(units, 0);
  constexpr double kEpsilon = 1e-9;  // 3 * (1 / 3) must be 1
  const auto by_norm = [&](size_t left) {
    return std::ceil(static_cast<double>(left) * share - kEpsilon);
  };
  for (size_t place = 0; place < units; ++place) {
    const bool norm = by_norm(place + 1) > by_norm(place);
    size_t least = units;
    for (size_t u = 0; u < units; ++u) {
      if (places[u] != 0) continue;
      if (least == units || (norm ? norms[u] < norms[least] : sums[u] < sums[least])) least = u;
    }
    places[least] = static_cast<float>(place + 1) / static_cast<float>(units);
    if (!norm) continue;
    for (size_t u = 0; u < units; ++u) sums[u] -= distances[least][u];
  }
  return places;
}

std::vector<float> fpgm(const GroupView& view) {
  std::vector<Filters> members;
  for (const Slice* slice : members_of(view.group)) {
    const Tensor& tensor = *view.graph.value(slice->tensor).constant;
    if (tensor.dtype() == DType::f32) members.push_back(filters_of(tensor, *slice));
  }
  if (members.empty()) return {};
  const Aggregate aggregate = view.options.aggregate;
  if (aggregate == Aggregate::first) members.resize(1);
  if (const double share = view.options.own[kNormShare]; share > 0) {
    return mix(distances_of(members, aggregate), kL2.score(view), share);
  }
  std::vector<std::vector<double>> sums;
  for (const Filters& filters : members) sums.push_back(sums_of_distances(filters));
  return aggregated(normalised(std::move(sums)), aggregate);
}

}  // namespace

extern const Criterion kFpgm{
    .name = "fpgm",
    .paper = "He et al., Filter Pruning via Geometric Median, CVPR 2019, arXiv:1811.00250",
    .about = "sum of a filter's distances to the other filters of its layer",
    .differs =
        "coupled layers count all, each normalised to mean 1, and their mean keeps their spread, "
        "and so residual streams shrink, where the paper prunes convolutions one by one and keeps "
        "residual widths (--keep-spine); the mix is one order for every budget, so norm and "
        "distance "
        "take turns (norm first) as their shares say, where the paper marks all that go by norm "
        "and "
        "then the others; its text prunes 10 % by norm and 30 % by distance (0.25 here), its "
        "scripts "
        "the reverse",
    .options = {{&kNormShare}},
    .score = fpgm};

}  // namespace coppice
