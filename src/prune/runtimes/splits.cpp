// See splits.h.
#include "prune/runtimes/splits.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "graph/is_onnx.h"
#include "graph/value_names.h"

namespace coppice {
namespace {

// The sizes of the parts along its axis; empty where they are equal, or not known.
std::vector<int64_t> uneven_parts(const Inferred& inferred, const Node& node, int64_t axis) {
  std::vector<int64_t> parts;
  for (const ValueId output : node.outputs) {
    if (output == kNoValue || !inferred.has(output)) return {};
    parts.push_back(inferred.shape(output)[axis]);
  }
  const bool even = std::ranges::adjacent_find(parts, std::not_equal_to<>()) == parts.end();
  return even ? std::vector<int64_t>() : parts;
}

}  // namespace

int64_t uneven_splits_to_slices(Graph& graph, const Inferred& inferred) {
  int64_t count = 0;
  ValueNames names(graph);
  const auto number = [&](int64_t value) {
    return add_constant(graph, names.unused("bound"), Tensor::vector({value}));
  };
  std::vector<Node> split = std::exchange(graph.nodes, {});
  for (Node& node : split) {
    std::vector<int64_t> parts;
    int64_t axis = 0;
    if (is_onnx(node, "Split") && inferred.has(node.inputs[0])) {
      axis = node.attributes.integer("axis", 0);
      axis += axis < 0 ? static_cast<int64_t>(inferred.shape(node.inputs[0]).size()) : 0;
      parts = uneven_parts(inferred, node, axis);
    }
    if (parts.empty()) {
      graph.nodes.push_back(std::move(node));
      continue;
    }
    int64_t start = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      const std::vector<ValueId> inputs = {node.inputs[0], number(start), number(start + parts[i]),
                                           number(axis)};
      add_node(graph, "Slice", inputs, {node.outputs[i]});
      start += parts[i];
    }
    ++count;
  }
  if (count > 0) remove_dead(graph);
  return count;
}

}  // namespace coppice
