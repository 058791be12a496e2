// Where units are seen at work, found from the weights that read them.

#include <algorithm>

#include "graph/views/linear_layer.h"
#include "prune/scores/criteria.h"

namespace coppice {
namespace {

// The axis of its data input along which the node reads channels; -1 where index i of the weight's
// input axis isn't channel i.
int64_t axis_read(const Node& node, ValueId weight, const Inferred& inferred) {
  if (node.inputs.size() < 2 || node.inputs[1] != weight || !inferred.has(node.inputs[0]))
    return -1;
  const auto layer = linear_layer_of(node);
  // Of a convolution in groups the weight has the channels of one.
  if (!layer || layer->channels == 0 || layer->groups != 1) return -1;
  if (layer->kind == LinearLayer::Kind::transposed_convolution) return -1;
  return from_the_front(layer->channels, std::ssize(inferred.shape(node.inputs[0])));
}

std::vector<Activation> activations_of(const Graph& graph, const Group& group,
                                       const Inferred& inferred,
                                       std::span<const std::vector<int32_t>> readers) {
  std::vector<Activation> activations;
  for (const Slice& slice : group.slices) {
    if (slice.role != Role::input_channel) continue;
    for (const int32_t reader : readers[slice.tensor]) {
      const Node& node = graph.nodes[reader];
      const int64_t axis = axis_read(node, slice.tensor, inferred);
      if (axis < 0 || inferred.types[node.inputs[0]]->dtype != DType::f32) continue;
      Activation found{graph.value(node.inputs[0]).name, axis, slice.indices};
      const bool known = std::ranges::any_of(activations, [&](const Activation& other) {
        return other.value == found.value && other.axis == found.axis;
      });
      if (!known) activations.push_back(std::move(found));
    }
  }
  return activations;
}

}  // namespace

std::vector<std::vector<Activation>> activations_of(const Graph& graph, const Groups& groups) {
  const auto readers = consumers(graph);
  std::vector<std::vector<Activation>> all;
  for (const Group& group : groups.free) {
    all.push_back(activations_of(graph, group, groups.inferred, readers));
  }
  return all;
}

}  // namespace coppice
