// Whether a node is one of ONNX's own operators; and which, for who computes or writes just that
// one. What kind of operator it is says its OpDef (graph/op.h).
#pragma once

#include <string_view>

#include "graph/graph.h"

namespace coppice {

inline bool is_onnx(const Node& node) { return node.domain.empty() || node.domain == "ai.onnx"; }
inline bool is_onnx(const Node& node, std::string_view type) {
  return node.op_type == type && is_onnx(node);
}

}  // namespace coppice
