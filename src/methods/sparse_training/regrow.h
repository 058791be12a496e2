// One update of the masks of a sparse net: of a layer some weights leave, and as many come.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace coppice {

struct Regrown {
  Tensor mask;        // with as many ones as before
  int64_t grown = 0;  // that weren't there before
};

// Drops the `count` smallest |weight| of what the mask keeps, then grows `count` of all that isn't
// kept by then, those of the largest `promise`: what was dropped may come back, and then it never
// left. Of equals the first by index is dropped, and grown. Requires: f32 tensors of one shape,
// a promise for each weight, 0 <= count <= ones of the mask.
Regrown regrow(const Tensor& mask, const Tensor& weight, const std::vector<double>& promise,
               int64_t count);

}  // namespace coppice
