// The layer y = W x + b, as fits give it. The header needs Eigen, so only prune includes it.
#pragma once

#include "evidence/moments.h"

namespace coppice {

struct AffineMap {
  Matrix weight;  // [outputs, inputs]
  Vector bias;    // [outputs]
};

}  // namespace coppice
