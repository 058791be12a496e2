// How Resize and Upsample interpolate, axis after axis (linear interpolation is separable).
//
// An output pixel at i lies at some x in the input, by the coordinate transformation; nearest takes
// one pixel by its rounding, linear the two around x, held at the borders.
#pragma once

#include <optional>
#include <vector>

#include "graph/ops/ops.h"

namespace coppice {

// Which inputs hold the target; -1 for none.
struct ResizePlaces {
  int scales = -1, sizes = -1;
};
ResizePlaces resize_places(const Graph& graph, const Node& node);

// What one output index is made of: two input indices and the share of the second.
struct Blend {
  int64_t low, high;
  double share;
};
// For each output index of the axis; empty where the axis stays as it is. Throws Error::input,
// naming the node, for a mode that can't be run.
std::optional<std::vector<Blend>> resize_blends(const Graph& graph, const Node& node,
                                                const Shape& input, const ResizeTarget& target,
                                                int64_t axis);

}  // namespace coppice
