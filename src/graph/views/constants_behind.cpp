#include "graph/views/constants_behind.h"

#include "graph/views/only_reshapes.h"

namespace coppice {

std::vector<ValueId> constants_behind(const Graph& graph) {
  std::vector<ValueId> behind(graph.values.size(), kNoValue);
  for (size_t i = 0; i < behind.size(); ++i) {
    if (graph.values[i].constant) behind[i] = static_cast<ValueId>(i);
  }
  for (const Node& node : graph.nodes) {
    const bool follows = only_moves(node) && !node.inputs.empty() && !node.outputs.empty() &&
                         node.inputs[0] != kNoValue && node.outputs[0] != kNoValue;
    if (follows) behind[node.outputs[0]] = behind[node.inputs[0]];
  }
  return behind;
}

}  // namespace coppice
