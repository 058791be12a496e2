// bn-scale: |gamma| of the BatchNormalization behind a filter, ranked over the whole network.
//
// Source: Liu, Li, Shen, Huang, Yan, Zhang, "Learning Efficient Convolutional Networks through
// Network Slimming", ICCV 2017, arXiv:1708.06519, section 3.

#include <cmath>

#include "prune/scores/criteria.h"

namespace coppice {
namespace {

std::vector<float> bn_scale(const GroupView& view) {
  std::vector<std::vector<double>> members;
  for (const Slice& slice : view.group.slices) {
    const Tensor& tensor = *view.graph.value(slice.tensor).constant;
    if (slice.role != Role::norm_scale || tensor.dtype() != DType::f32) continue;
    members.emplace_back();
    for (const std::vector<int64_t>& indices : slice.indices) {
      double sum = 0;
      for (const int64_t index : indices) sum += std::fabs(tensor.as<float>()[index]);
      members.back().push_back(sum / static_cast<double>(indices.size()));
    }
  }
  return members.empty() ? std::vector<float>{} : aggregated(members, view.options.aggregate);
}

}  // namespace

extern const Criterion kBnScale{
    .name = "bn-scale",
    .paper = "Liu et al., Network Slimming, ICCV 2017, arXiv:1708.06519 (its ranking)",
    .about = "absolute BatchNormalization scale",
    .differs =
        "coupled layers are averaged, with their spread, where the paper gives each its own "
        "scale through a selection layer; the training for sparsity that precedes it there is "
        "--method slimming",
    .scope = Criterion::Scope::global,
    .ranks = Criterion::Ranks::normalisations,
    .score = bn_scale};

}  // namespace coppice
