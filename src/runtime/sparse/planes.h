// How images lie for sparse kernels: a plane of floats a channel, whose rows are `pitch` apart and
// whose pixels are run through as one line. Between rows, between planes, and before the first and
// behind the last of them there are zeros, so that every tap of a kernel is one offset: what lies
// outside of the image is read as the zeros between.
//
//   image   = plane of zeros | plane of channel 0 | plane of channel 1 | ... | plane of zeros
//   plane   = rows of `columns` pixels and pitch - columns zeros, then at least `gap` rows of zeros
//
// Whoever writes such an image writes all of it. A wide image loses one column in W to the zeros.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace coppice::runtime {

// Floats that planes are multiples of: one cache line, and the widest vector.
inline constexpr int64_t kLine = 16;

struct Planes {
  int64_t images, channels, rows, columns;
  int64_t pitch, gap;
  int64_t plane, lead, image;  // floats of each

  int64_t floats() const { return images * image; }
  Shape strides() const { return {image, plane, pitch, 1}; }
  // Zeros behind the first `computed` floats of each plane, and before and behind all planes.
  void clear_around(float* data, int64_t computed) const;
  // All zeros between: what a copy of the pixels alone leaves to be done.
  void clear_between(float* data) const;
  // All ones where a plane has a pixel, for as many floats as a plane has.
  std::vector<uint32_t> mask() const;

  bool operator==(const Planes&) const = default;
};

// One pitch for all images of a size, and for sizes between which a convolution of stride 1 stands,
// so that a pixel has one place in what it reads and in what it writes.
class PlaneSizes {
 public:
  // At least `columns` of zeros between rows and `rows` between planes.
  void require(int64_t height, int64_t width, int64_t rows, int64_t columns);
  void join(int64_t height, int64_t width, int64_t other_height, int64_t other_width);
  // `shape`: [N, C, H, W] of a size that was required or joined.
  Planes of(const Shape& shape) const;
  bool knows(const Shape& shape) const;

 private:
  using Size = std::pair<int64_t, int64_t>;
  struct Class {
    int64_t pitch = 0, gap = 0;
  };
  size_t class_of(Size size);

  std::map<Size, size_t> sizes_;
  std::vector<Class> classes_;
};

}  // namespace coppice::runtime
