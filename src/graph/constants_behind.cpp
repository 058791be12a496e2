#include "graph/constants_behind.h"

#include <algorithm>
#include <string_view>

namespace coppice {
namespace {

bool only_reshapes(const Node& node) {
  constexpr std::string_view kNames[] = {"Reshape", "Transpose", "Identity",
                                         "Squeeze", "Unsqueeze", "Flatten"};
  return node.op && std::ranges::find(kNames, node.op_type) != std::end(kNames);
}

}  // namespace

std::vector<ValueId> constants_behind(const Graph& graph) {
  std::vector<ValueId> behind(graph.values.size(), kNoValue);
  for (size_t i = 0; i < behind.size(); ++i) {
    if (graph.values[i].constant) behind[i] = static_cast<ValueId>(i);
  }
  for (const Node& node : graph.nodes) {
    const bool follows = only_reshapes(node) && !node.inputs.empty() && !node.outputs.empty() &&
                         node.inputs[0] != kNoValue && node.outputs[0] != kNoValue;
    if (follows) behind[node.outputs[0]] = behind[node.inputs[0]];
  }
  return behind;
}

}  // namespace coppice
