// Inputs of N images of C channels, [N, C, axes of space...]. Private to graph/ops.
#pragma once

#include "graph/op.h"

namespace coppice {

// The axes behind batch and channels; of a kernel, those of its window.
inline Shape spatial_of(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

// Throws Error::input where the first input has none. `expected`: "3 to 5".
inline void require_image(InferContext& context, const char* expected) {
  if (context.rank(0) >= 3) return;
  context.fail("input has shape " + to_string(context.shape(0)) + ", expected rank " + expected);
}

}  // namespace coppice
