// Constants of a type whose elements Coppice doesn't look into (int4, float8 and what comes next):
// they are carried byte for byte, so who reads one is not computed, not cut and not run.
#pragma once

#include <algorithm>

#include "graph/graph.h"
#include "graph/op.h"

namespace coppice {

// Null where the node reads none.
inline const Value* carried_input(const Graph& graph, const Node& node) {
  const auto is_carried = [&](ValueId id) {
    if (id == kNoValue || !graph.value(id).constant) return false;
    const DType type = graph.value(id).constant->dtype();
    return size_of(type) == 0 && type != DType::string;
  };
  const auto found = std::ranges::find_if(node.inputs, is_carried);
  return found == node.inputs.end() ? nullptr : &graph.value(*found);
}

// Whether the node's outputs can be computed from its inputs, once these are known.
inline bool can_evaluate(const Graph& graph, const Node& node) {
  return node.op && node.op->evaluate && !carried_input(graph, node);
}

}  // namespace coppice
