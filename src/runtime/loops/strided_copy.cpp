#include "runtime/loops/strided_copy.h"

#include <cstring>

#include "core/error.h"

namespace coppice::runtime {
namespace {

// Below this many bytes starting the threads costs more than the copy.
constexpr int64_t kParallelBytes = 256 * 1024;

template <typename T>
void copy_elements(const std::byte* from, int64_t from_stride, std::byte* to, int64_t to_stride,
                   int64_t count) {
  const T* source = reinterpret_cast<const T*>(from);
  T* target = reinterpret_cast<T*>(to);
  for (int64_t i = 0; i < count; ++i) target[i * to_stride] = source[i * from_stride];
}

struct Wide {
  uint64_t low, high;
};

}  // namespace

View plain_view(const Shape& shape) {
  View view{shape, Shape(shape.size(), 1), 0};
  for (size_t i = shape.size(); i-- > 1;) view.strides[i - 1] = view.strides[i] * shape[i];
  return view;
}

StridedCopy::StridedCopy(const View& from, const View& to, size_t width)
    : from_offset_(from.offset), to_offset_(to.offset), width_(width) {
  COPPICE_CHECK(from.extents == to.extents, "a copy between different extents");
  for (size_t i = 0; i < from.extents.size(); ++i) {
    const int64_t extent = from.extents[i];
    if (extent == 1) continue;
    const bool together = !extents_.empty() && from_.back() == extent * from.strides[i] &&
                          to_.back() == extent * to.strides[i];
    if (together) {
      extents_.back() *= extent;
      from_.back() = from.strides[i];
      to_.back() = to.strides[i];
    } else {
      extents_.push_back(extent);
      from_.push_back(from.strides[i]);
      to_.push_back(to.strides[i]);
    }
  }
  if (extents_.empty()) {
    extents_ = {1};
    from_ = to_ = {1};
  }
}

void StridedCopy::copy_row(const std::byte* from, std::byte* to) const {
  const int64_t count = extents_.back(), a = from_.back(), b = to_.back();
  if (a == 1 && b == 1) {
    std::memcpy(to, from, static_cast<size_t>(count) * width_);
    return;
  }
  switch (width_) {
    case 1: return copy_elements<uint8_t>(from, a, to, b, count);
    case 2: return copy_elements<uint16_t>(from, a, to, b, count);
    case 4: return copy_elements<uint32_t>(from, a, to, b, count);
    case 8: return copy_elements<uint64_t>(from, a, to, b, count);
    default: return copy_elements<Wide>(from, a, to, b, count);
  }
}

void StridedCopy::operator()(const std::byte* from, std::byte* to) const {
  const auto width = static_cast<int64_t>(width_);
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < extents_.size(); ++i) rows *= extents_[i];
  if (rows * extents_.back() == 0) return;
#pragma omp parallel for if (rows * extents_.back() * width > kParallelBytes)
  for (int64_t row = 0; row < rows; ++row) {
    int64_t source = from_offset_, target = to_offset_, rest = row;
    for (size_t axis = extents_.size() - 1; axis-- > 0; rest /= extents_[axis]) {
      source += rest % extents_[axis] * from_[axis];
      target += rest % extents_[axis] * to_[axis];
    }
    copy_row(from + source * width, to + target * width);
  }
}

}  // namespace coppice::runtime
