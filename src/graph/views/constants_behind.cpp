#include "graph/views/constants_behind.h"

#include "graph/views/only_reshapes.h"

namespace coppice {

namespace {

// Whether it gives the constant's elements in another type, which is the same one where the model
// is computed in float32 and stored in halves.
bool casts_to_itself(const Graph& graph, const Node& node, ValueId constant) {
  if (!node.op || !node.op->idle || node.op->reach != Reach::element) return false;
  const auto type = static_cast<int64_t>(graph.value(constant).constant->dtype());
  return node.inputs.size() == 1 && node.attributes.integer("to", type) == type;
}

}  // namespace

std::vector<ValueId> constants_behind(const Graph& graph) {
  std::vector<ValueId> behind(graph.values.size(), kNoValue);
  for (size_t i = 0; i < behind.size(); ++i) {
    if (graph.values[i].constant) behind[i] = static_cast<ValueId>(i);
  }
  for (const Node& node : graph.nodes) {
    if (node.inputs.empty() || node.outputs.empty()) continue;
    if (node.inputs[0] == kNoValue || node.outputs[0] == kNoValue) continue;
    const ValueId constant = behind[node.inputs[0]];
    if (constant == kNoValue) continue;
    if (only_moves(node) || casts_to_itself(graph, node, constant)) {
      behind[node.outputs[0]] = constant;
    }
  }
  return behind;
}

}  // namespace coppice
