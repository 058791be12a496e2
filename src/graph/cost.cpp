#include "graph/cost.h"

#include <algorithm>

#include "graph/fitted.h"
#include "graph/op.h"

namespace coppice {

std::vector<char> parameter_flags(const Graph& graph) {
  std::vector<char> flags(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || !graph.value(id).constant) continue;
      const Reads as = reads_as(node, i);
      const bool codes = as == Reads::code && graph.value(id).constant->rank() > 0;
      if (!codes && !is_floating(graph.value(id).constant->dtype())) continue;
      const bool beside = as == Reads::setting || as == Reads::statistic || as == Reads::step;
      if (!beside) flags[id] = 1;
    }
  }
  return flags;
}

int64_t node_macs(const Node& node, const std::vector<Shape>& shapes) {
  if (!node.op || !node.op->macs) return 0;
  std::vector<Shape> inputs, outputs;
  for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? Shape{} : shapes[id]);
  for (const ValueId id : node.outputs) outputs.push_back(id == kNoValue ? Shape{} : shapes[id]);
  int operands = 0;  // the first two, beside which codes have scalars
  for (size_t i = 0; i < inputs.size() && operands < 2; ++i) {
    const Reads as = reads_as(node, i);
    if (as == Reads::step || as == Reads::zero_point) continue;
    if (inputs[i].empty()) return 0;  // an unknown shape
    ++operands;
  }
  if (operands < 2) return 0;
  return node.op->macs(node, inputs, outputs);
}

bool has_unknown_cost(const Graph& graph, const Node& node, const Inferred& inferred) {
  const auto has_weights = [&] {
    return std::ranges::any_of(node.inputs, [&](ValueId id) {
      return id != kNoValue && graph.value(id).constant &&
             is_floating(graph.value(id).constant->dtype()) && graph.value(id).constant->rank() > 1;
    });
  };
  if (!node.op) return has_weights();
  if (!node.op->macs) return false;
  const auto unknown = [&](ValueId id) {
    return id != kNoValue && (!inferred.has(id) || inferred.is_assumed(id));
  };
  return std::ranges::any_of(node.inputs, unknown) || std::ranges::any_of(node.outputs, unknown);
}

Costs costs_of(const Graph& graph, const Inferred& inferred) {
  Costs costs;
  const std::vector<Shape> shapes = shape_table(inferred);
  const std::vector<char> parameters = parameter_flags(graph);
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (parameters[i]) costs.parameters += graph.values[i].constant->size();
  }
  for (const Node& node : graph.nodes) {
    const bool unknown = has_unknown_cost(graph, node, inferred);
    costs.unknown += unknown;
    if (!unknown) costs.macs += node_macs(node, shapes);
  }
  return costs;
}

}  // namespace coppice
