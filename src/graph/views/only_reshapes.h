// Whether a node hands on the elements of its first input as they are, all of them in their order.
// Whoever follows a value through such nodes asks here, so that all see through the same ones.
#pragma once

#include <algorithm>
#include <string_view>

#include "graph/graph.h"

namespace coppice {

inline bool only_reshapes(const Node& node) {
  constexpr std::string_view kTypes[] = {"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"};
  return node.op && std::ranges::find(kTypes, node.op_type) != std::end(kTypes);
}

}  // namespace coppice
