// Whether a node hands on the elements of its first input as they are: all of them in their order,
// or at least all of them. Whoever follows a value through such nodes asks here, so that all see
// through the same ones.
#pragma once

#include "graph/op.h"

namespace coppice {

inline bool only_reshapes(const Node& node) { return node.op && node.op->moves == Moves::reshapes; }
inline bool only_moves(const Node& node) {
  return only_reshapes(node) || (node.op && node.op->moves == Moves::permutes);
}

}  // namespace coppice
