// See unsaid.h.
#include "prune/runtimes/unsaid.h"

#include <algorithm>
#include <vector>

#include "graph/passes/simplify/fold_shapes.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

void say_kernel_shapes(Graph& graph) {
  for (Node& node : graph.nodes) {
    const auto layer = linear_layer_of(node);
    if (!layer || !layer->convolves() || node.attributes.has("kernel_shape")) continue;
    const auto& weight = graph.value(node.inputs[layer->weight]).constant;
    if (!weight) continue;
    const Shape& shape = weight->shape();
    node.attributes.set("kernel_shape", std::vector<int64_t>(shape.begin() + 2, shape.end()));
  }
}

void say_output_shapes(Graph& graph) {
  const auto unsaid = [&](ValueId id) { return !graph.value(id).declared; };
  if (std::ranges::none_of(graph.outputs, unsaid)) return;
  const std::vector<Inferred> inferences = at_two_sizes(graph);
  const Inferred &first = inferences.front(), &second = inferences.back();
  for (const ValueId id : graph.outputs) {
    if (!unsaid(id) || !first.has(id) || !second.has(id)) continue;
    const Shape &a = first.shape(id), &b = second.shape(id);
    if (a.size() != b.size()) continue;
    Dims dims;
    for (size_t axis = 0; axis < a.size(); ++axis) {
      const bool fixed = inferences.size() > 1 && a[axis] == b[axis];
      dims.push_back({.size = fixed ? a[axis] : -1, .symbol = ""});
    }
    graph.value(id).declared = std::move(dims);
  }
}

}  // namespace

void say_unsaid(Graph& graph) {
  say_kernel_shapes(graph);
  say_output_shapes(graph);
}

}  // namespace coppice
