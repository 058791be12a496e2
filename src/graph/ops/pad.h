// What Pad puts around an axis, for all who compute it.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace coppice {

inline constexpr int64_t kPadding = -1;

// For each place of an axis of `size` that `begin` and `end` were added to, or taken from where
// they are negative, the place whose element stands there; kPadding for the node's constant. What
// is taken off leaves first, so copies are of the rest, as in ONNX Runtime. Modes constant, edge,
// reflect and wrap. Throws Error::input for another, and for copies of nothing.
std::vector<int64_t> padded_places(const Graph& graph, const Node& node, int64_t size,
                                   int64_t begin, int64_t end);

}  // namespace coppice
