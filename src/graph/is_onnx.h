// Whether a node is one of ONNX's own operators, by its name.
#pragma once

#include <string_view>

#include "graph/graph.h"

namespace coppice {

inline bool is_onnx(const Node& node, std::string_view type) {
  return node.op_type == type && (node.domain.empty() || node.domain == "ai.onnx");
}

}  // namespace coppice
