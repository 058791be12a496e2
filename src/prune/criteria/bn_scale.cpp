// bn-scale: |gamma| of the BatchNormalization behind a filter, ranked over the whole network.
//
// Source: Liu, Li, Shen, Huang, Yan, Zhang, "Learning Efficient Convolutional Networks through
// Network Slimming", ICCV 2017, arXiv:1708.06519, section 3.
// Differs: coupled layers are averaged (the paper gives each its own scale through a selection
// layer); the sparsity training that precedes it in the paper is the method's business, not the
// criterion's.

#include <cmath>

#include "prune/criteria/criteria.h"

namespace coppice {
namespace {

std::vector<float> bn_scale(const GroupView& view) {
  std::vector<double> totals(view.group.units(), 0);
  double scales = 0;
  for (const Slice& slice : view.group.slices) {
    const Tensor& tensor = *view.graph.value(slice.tensor).constant;
    if (slice.role != Role::norm_scale || tensor.dtype() != DType::f32) continue;
    scales += 1;
    for (size_t u = 0; u < totals.size(); ++u) {
      double sum = 0;
      for (const int64_t index : slice.indices[u]) sum += std::fabs(tensor.as<float>()[index]);
      totals[u] += sum / static_cast<double>(slice.indices[u].size());
    }
  }
  std::vector<float> scores;
  if (scales == 0) return scores;
  for (const double total : totals) scores.push_back(static_cast<float>(total / scales));
  return scores;
}

}  // namespace

extern const Criterion kBnScale{"bn-scale",
                                "Liu et al., Network Slimming, ICCV 2017, arXiv:1708.06519",
                                "absolute BatchNormalization scale, ranked over the whole network",
                                Criterion::Scope::global, bn_scale};

}  // namespace coppice
