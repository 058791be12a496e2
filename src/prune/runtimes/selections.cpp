// See selections.h.
#include "prune/runtimes/selections.h"

#include <algorithm>
#include <string>
#include <vector>

#include "graph/is_onnx.h"
#include "graph/value_names.h"

namespace coppice {
namespace {

constexpr size_t kImageRank = 4;

std::vector<int64_t> integers_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::i64) {
    const auto found = tensor.as<int64_t>();
    return {found.begin(), found.end()};
  }
  if (tensor.dtype() != DType::i32) return {};
  const auto found = tensor.as<int32_t>();
  return {found.begin(), found.end()};
}

// The channels that the node picks of so many; empty where it does something else.
std::vector<int64_t> picked(const Graph& graph, const Inferred& inferred, const Node& node) {
  if (!is_onnx(node, "Gather") || node.inputs.size() != 2) return {};
  const ValueId data = node.inputs[0];
  if (!inferred.has(data) || graph.value(data).constant) return {};
  const TensorType& type = *inferred.types[data];
  if (type.dtype != DType::f32 || type.shape.size() != kImageRank) return {};
  const int64_t axis = node.attributes.integer("axis", 0);
  if (axis != 1 && axis != 1 - static_cast<int64_t>(kImageRank)) return {};
  const Tensor* const indices = known_value(graph, inferred, node.inputs[1]);
  if (!indices || indices->rank() != 1) return {};
  std::vector<int64_t> channels = integers_of(*indices);
  for (int64_t& channel : channels) channel += channel < 0 ? type.shape[1] : 0;
  return channels;
}

Tensor zeros_and_ones(const std::vector<int64_t>& channels, int64_t all) {
  const auto kept = static_cast<int64_t>(channels.size());
  Tensor weight = Tensor::zeros(DType::f32, {kept, all, 1, 1});
  const auto elements = weight.mutate<float>();
  for (int64_t i = 0; i < kept; ++i) elements[i * all + channels[i]] = 1;
  return weight;
}

}  // namespace

int64_t selections_to_convolutions(Graph& graph, const Inferred& inferred) {
  int64_t count = 0;
  ValueNames names(graph);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const std::vector<int64_t> channels = picked(graph, inferred, graph.nodes[n]);
    if (channels.empty()) continue;
    const int64_t all = inferred.shape(graph.nodes[n].inputs[0])[1];
    const ValueId weight =
        add_constant(graph, names.unused("selection"), zeros_and_ones(channels, all));
    Node& node = graph.nodes[n];
    node.op_type = "Conv";
    node.op = find_operator("", "Conv");
    node.inputs = {node.inputs[0], weight};
    node.attributes = {};
    node.attributes.set("kernel_shape", std::vector<int64_t>{1, 1});
    ++count;
  }
  if (count > 0) remove_dead(graph);
  return count;
}

}  // namespace coppice
