// Numbers as the codes that stand for them: saturate(round(x / step) + zero).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/graph.h"

namespace coppice {

template <typename T>
T code_of(float x, double step, double zero) {
  const double code = std::nearbyint(x / step) + zero;
  return static_cast<T>(
      std::clamp<double>(code, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

// Of float32, with one step and zero point for all. Throws Error::input, naming the node, for a
// `type` other than int8 and uint8.
Tensor codes_of(const Graph& graph, const Node& node, const Tensor& floats, double step,
                int64_t zero, DType type);

}  // namespace coppice
