// fpgm: how far a filter lies from all others of its layer. The filter nearest to the geometric
// median is the one that the others can best stand in for.
//
// Source: He, Liu, Wang, Hu, Yang, "Filter Pruning via Geometric Median for Deep Convolutional
// Neural Networks Acceleration", CVPR 2019, arXiv:1811.00250, equation 8: g(x) = sum_j ||x -
// F_j||_2. Differs: coupled layers count all, each normalised to mean 1.

#include <array>
#include <cmath>
#include <numeric>

#include "prune/criteria/criteria.h"

namespace coppice {
namespace {

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

std::vector<double> distances(const std::vector<std::vector<float>>& filters) {
  std::vector<double> sums(filters.size(), 0);
  for (size_t i = 0; i < filters.size(); ++i) {
    for (size_t j = i + 1; j < filters.size(); ++j) {
      const double distance = std::sqrt(squared_distance(filters[i], filters[j]));
      sums[i] += distance;
      sums[j] += distance;
    }
  }
  return sums;
}

std::vector<float> fpgm(const GroupView& view) {
  std::vector<std::vector<double>> members;
  for (const Slice* slice : members_of(view.group)) {
    const Tensor& tensor = *view.graph.value(slice->tensor).constant;
    if (tensor.dtype() == DType::f32) members.push_back(distances(filters_of(tensor, *slice)));
  }
  return members.empty() ? std::vector<float>{} : average_of_members(members);
}

}  // namespace

extern const Criterion kFpgm{
    "fpgm", "He et al., Filter Pruning via Geometric Median, CVPR 2019, arXiv:1811.00250",
    "sum of a filter's distances to the other filters of its layer", Criterion::Scope::group, fpgm};

}  // namespace coppice
