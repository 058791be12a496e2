// What a RotaryEmbedding node means, ONNX's own (opset 23) and ONNX Runtime's (com.microsoft),
// whose inputs stand in another order.
#pragma once

#include "graph/op.h"

namespace coppice {

// Data [N, heads, places, width], or [N, places, heads * width]. Of each head's width the first
// `turned` numbers are turned, pair by pair: number i with i + turned / 2, or, interleaved, with
// its neighbour.
struct RotaryForm {
  bool merged = false, interleaved = false;
  int64_t batch = 0, heads = 0, places = 0, width = 0, turned = 0;

  std::pair<int64_t, int64_t> pair(int64_t i) const {
    return interleaved ? std::pair{2 * i, 2 * i + 1} : std::pair{i, i + turned / 2};
  }
};
struct RotaryInputs {
  int cosine, sine, positions;
};
RotaryInputs rotary_inputs(const Node& node);
// `cosine`: the shape of the table. Throws Error::input where shapes don't fit.
RotaryForm rotary_form(const Graph& graph, const Node& node, const Shape& x, const Shape& cosine);

}  // namespace coppice
