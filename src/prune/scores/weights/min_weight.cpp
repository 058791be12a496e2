// min-weight: the mean square of a filter's weights, ranked over the whole network.
//
// Source: Molchanov, Tyree, Karras, Aila, Kautz, "Pruning Convolutional Neural Networks for
// Resource Efficient Inference", ICLR 2017, arXiv:1611.06440, section 2.1: (1/|w|) sum of w_i^2.
// Within a layer that is l2's order; over layers it isn't.

#include "prune/scores/criteria.h"

namespace coppice {
namespace {

std::vector<float> mean_squares(const GroupView& view) {
  std::vector<std::vector<double>> members;
  for (const Slice* slice : members_of(view.group)) {
    const Tensor& tensor = *view.graph.value(slice->tensor).constant;
    if (tensor.dtype() != DType::f32) continue;
    members.push_back(norms_of(tensor, *slice, Power::square));
    const double each =
        static_cast<double>(tensor.size()) / static_cast<double>(tensor.shape()[slice->axis]);
    for (size_t u = 0; u < slice->indices.size(); ++u) {
      double& score = members.back()[u];
      score = score * score / (each * static_cast<double>(slice->indices[u].size()));
    }
  }
  return members.empty() ? std::vector<float>{} : aggregated(members, view.options.aggregate);
}

}  // namespace

extern const Criterion kMinWeight{
    .name = "min-weight",
    .paper =
        "Molchanov et al., Pruning CNNs for Resource Efficient Inference, ICLR 2017, "
        "arXiv:1611.06440 (sec. 2.1)",
    .about = "mean square of a filter's weights",
    .differs =
        "coupled layers count all, where the paper has none, and their mean keeps their spread; "
        "layers are compared as they are",
    .scope = Criterion::Scope::global,
    .score = mean_squares};

}  // namespace coppice
