#include "graph/cost.h"

#include "graph/op.h"

namespace coppice {

std::vector<char> parameter_flags(const Graph& graph) {
  std::vector<char> flags(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || !graph.value(id).constant) continue;
      if (!is_floating(graph.value(id).constant->dtype())) continue;
      const Reads as = reads_as(node, i);
      if (as != Reads::setting && as != Reads::statistic) flags[id] = 1;
    }
  }
  return flags;
}

int64_t node_macs(const Node& node, const std::vector<Shape>& shapes) {
  if (!node.op || !node.op->macs) return 0;
  std::vector<Shape> inputs, outputs;
  for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? Shape{} : shapes[id]);
  for (const ValueId id : node.outputs) outputs.push_back(id == kNoValue ? Shape{} : shapes[id]);
  if (inputs.size() < 2 || inputs[0].empty() || inputs[1].empty()) return 0;  // unknown shapes
  return node.op->macs(node, inputs, outputs);
}

Costs costs_of(const Graph& graph, const Inferred& inferred) {
  Costs costs;
  std::vector<Shape> shapes(graph.values.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (inferred.types[i]) shapes[i] = inferred.types[i]->shape;
  }
  const std::vector<char> parameters = parameter_flags(graph);
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (parameters[i]) costs.parameters += graph.values[i].constant->size();
  }
  for (const Node& node : graph.nodes) costs.macs += node_macs(node, shapes);
  return costs;
}

}  // namespace coppice
