// taylor: how much the loss changes, to first order, when a feature map becomes zero.
//
// Source: Molchanov, Tyree, Karras, Aila, Kautz, "Pruning Convolutional Neural Networks for
// Resource Efficient Inference", ICLR 2017, arXiv:1611.06440, equation 8, of one image's loss C and
// a map z of M positions:
//
//   score = mean over images of | (1/M) sum_m dC/dz_m z_m |
//
// In that order: the mean over positions, its absolute value, the mean over images. Then section
// 2.2: over the Euclidean norm of the layer's scores, and section 2.3: less lambda times what a map
// of the layer costs in MFLOPs, two for each multiply-accumulate.

#include <cmath>

#include "core/error.h"
#include "graph/cost.h"
#include "prune/scores/responses/responses.h"

namespace coppice {
namespace {

const NumberOption kFlopsWeight(
    {"flops-weight", "X",
     "what a score loses for each MFLOP that computing one map of its layer takes; the paper takes "
     "1e-3, 0: nothing"},
    {.low = 0}, 0);

std::vector<EvidenceRequest> needs(const GroupView& view) {
  return of_activations(view, {Reduction::mean_gate_gradients});
}

std::vector<std::vector<double>> members(const GroupView& view) {
  std::vector<std::vector<double>> all;
  for (const Activation& activation : view.activations) {
    std::vector<double> sums(activation.indices.size(), 0);
    const auto images = rows_by_unit(view, activation, Reduction::mean_gate_gradients);
    for (const std::vector<double>& image : images) {
      for (size_t u = 0; u < sums.size(); ++u) sums[u] += std::fabs(image[u]);
    }
    for (double& sum : sums) sum /= static_cast<double>(images.size());
    all.push_back(std::move(sums));
  }
  return all;
}

// Of computing one unit of the group, for one image: of all coupled layers together.
double mflops_of_unit(const GroupView& view) {
  COPPICE_CHECK(view.inferred, "costs without shapes");
  std::vector<Shape> shapes;
  for (const auto& type : view.inferred->types) shapes.push_back(type ? type->shape : Shape());
  double flops = 0;
  for (const Slice& slice : view.group.slices) {
    if (slice.role != Role::filter) continue;
    const double share =
        static_cast<double>(slice.indices.front().size()) /
        static_cast<double>(view.graph.value(slice.tensor).constant->shape()[slice.axis]);
    for (const Node& node : view.graph.nodes) {
      if (node.inputs.size() < 2 || node.inputs[1] != slice.tensor) continue;
      const Shape& input = shapes[node.inputs[0]];
      if (input.empty() || input[0] == 0) continue;
      const double macs =
          static_cast<double>(node_macs(node, shapes)) / static_cast<double>(input[0]);
      flops += 2 * macs * share;
    }
  }
  return flops / 1e6;
}

std::vector<float> together(const GroupView& view, std::vector<std::vector<double>> members) {
  std::vector<float> scores = over_layers(view, std::move(members));
  const double weight = view.options.own[kFlopsWeight];
  if (weight == 0 || scores.empty()) return scores;
  const auto cost = static_cast<float>(weight * mflops_of_unit(view));
  for (float& score : scores) score -= cost;
  return scores;
}

std::vector<float> score(const GroupView& view) { return together(view, members(view)); }

}  // namespace

extern const Criterion kTaylor{
    .name = "taylor",
    .paper =
        "Molchanov et al., Pruning CNNs for Resource Efficient Inference, ICLR 2017, "
        "arXiv:1611.06440",
    .about = "first-order change of the loss without a channel, over its layer's norm",
    .differs =
        "maps are seen at the values that layers read them from, behind any pooling, which the "
        "layer's norm makes the same; coupled layers count all, and their mean keeps their spread; "
        "a channel's cost is that of all coupled layers; the loss is the training's, so that a "
        "teacher counts (--distill 0: labels alone, as in the paper)",
    .scope = Criterion::Scope::global,
    .options = {{&kLayerNorm}, {&kFlopsWeight}},
    .score = score,
    .needs = needs,
    .answered = Criterion::Answered::by_training,
    .members = members,
    .together = together};

}  // namespace coppice
