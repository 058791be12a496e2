// z = x op y of float32 arrays whose axes are whole or repeated, in one pass over z: what is left
// of broadcasting once shapes and layouts are strides.
//
// oneDNN 2.6 isn't used where an operand repeats: behind convolutions of a width that doesn't fill
// its blocks, its AVX2 kernel read the empty channels of a block for a gate [1, 1, H, W], and most
// other cases it leaves to a plain loop over single elements (a constant by channel on 20 x 28 x 28
// took 1210 us there and 7 us here, AVX2, one thread).
#pragma once

#include <functional>

#include "runtime/loops/strided_copy.h"

namespace coppice::runtime {

enum class BinaryFunction { add, sub, mul, div };

class RepeatedBinary {
 public:
  // z lies row-major in `extents`. Strides of x and y: one an axis, 0 where an axis is repeated.
  RepeatedBinary(BinaryFunction function, const Shape& extents, const Shape& x, const Shape& y);
  // z may be x or y where that one has z's strides.
  void operator()(const float* x, const float* y, float* z) const;

 private:
  template <typename Function>
  void apply(const float* x, const float* y, float* z, Function function) const;

  BinaryFunction function_;
  Shape extents_, x_, y_;  // at least two axes; neighbours that lie together are merged
};

}  // namespace coppice::runtime
