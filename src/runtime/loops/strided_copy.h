// Copies between two arrays that agree on their extents but not on their strides: what slicing,
// padding, transposing, splitting and concatenating come down to.
#pragma once

#include <cstddef>

#include "core/tensor.h"

namespace coppice::runtime {

// Extents and strides in elements, outermost axis first.
struct View {
  Shape extents, strides;
  int64_t offset = 0;
};
View plain_view(const Shape& shape);

class StridedCopy {
 public:
  // Requires: equal extents. `width`: bytes of one element, 1, 2, 4, 8 or 16.
  StridedCopy(const View& from, const View& to, size_t width);
  void operator()(const std::byte* from, std::byte* to) const;

 private:
  void copy_row(const std::byte* from, std::byte* to) const;

  Shape extents_, from_, to_;  // without axes of size 1; neighbours that lie together are merged
  int64_t from_offset_, to_offset_;
  size_t width_;
};

}  // namespace coppice::runtime
