#include "runtime/loops/repeated_binary.h"

#include <algorithm>

#include "core/error.h"

namespace coppice::runtime {
namespace {

// Below this many elements starting the threads costs more than the pass.
constexpr int64_t kParallelElements = 64 * 1024;
// What a thread takes at once, about; the two inner axes are cut to it.
constexpr int64_t kPieceElements = 8 * 1024;

template <typename Function>
void compute_row(const float* x, int64_t x_stride, const float* y, int64_t y_stride, float* z,
                 int64_t count, Function function) {
  if (x_stride == 1 && y_stride == 1) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) z[i] = function(x[i], y[i]);
  } else if (x_stride == 1 && y_stride == 0) {
    const float b = *y;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) z[i] = function(x[i], b);
  } else if (x_stride == 0 && y_stride == 1) {
    const float a = *x;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) z[i] = function(a, y[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) z[i] = function(x[i * x_stride], y[i * y_stride]);
  }
}

int64_t pieces_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

}  // namespace

RepeatedBinary::RepeatedBinary(BinaryFunction function, const Shape& extents, const Shape& x,
                               const Shape& y)
    : function_(function) {
  COPPICE_CHECK(extents.size() == x.size() && extents.size() == y.size(), "strides of other axes");
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == 1) continue;
    const bool together =
        !extents_.empty() && x_.back() == extents[i] * x[i] && y_.back() == extents[i] * y[i];
    if (together) {
      extents_.back() *= extents[i];
      x_.back() = x[i];
      y_.back() = y[i];
    } else {
      extents_.push_back(extents[i]);
      x_.push_back(x[i]);
      y_.push_back(y[i]);
    }
  }
  while (extents_.size() < 2) {
    extents_.insert(extents_.begin(), 1);
    x_.insert(x_.begin(), 0);
    y_.insert(y_.begin(), 0);
  }
}

template <typename Function>
void RepeatedBinary::apply(const float* x, const float* y, float* z, Function function) const {
  const size_t last = extents_.size() - 1;
  const int64_t rows = extents_[last - 1], columns = extents_[last];
  const int64_t wide = std::min(columns, kPieceElements);
  const int64_t high = std::clamp<int64_t>(kPieceElements / wide, 1, rows);
  const int64_t across = pieces_of(columns, wide), down = pieces_of(rows, high);
  int64_t matrices = 1;
  for (size_t axis = 0; axis + 1 < last; ++axis) matrices *= extents_[axis];
#pragma omp parallel for if (matrices * rows * columns > kParallelElements)
  for (int64_t piece = 0; piece < matrices * down * across; ++piece) {
    const int64_t column = piece % across * wide, row = piece / across % down * high;
    int64_t matrix = piece / across / down;
    const float* a = x + column * x_[last];
    const float* b = y + column * y_[last];
    float* const c = z + matrix * rows * columns + column;
    for (size_t axis = last - 1; axis-- > 0; matrix /= extents_[axis]) {
      a += matrix % extents_[axis] * x_[axis];
      b += matrix % extents_[axis] * y_[axis];
    }
    for (int64_t r = row; r < std::min(rows, row + high); ++r) {
      compute_row(a + r * x_[last - 1], x_[last], b + r * y_[last - 1], y_[last], c + r * columns,
                  std::min(wide, columns - column), function);
    }
  }
}

void RepeatedBinary::operator()(const float* x, const float* y, float* z) const {
  switch (function_) {
    case BinaryFunction::add: return apply(x, y, z, [](float a, float b) { return a + b; });
    case BinaryFunction::sub: return apply(x, y, z, [](float a, float b) { return a - b; });
    case BinaryFunction::mul: return apply(x, y, z, [](float a, float b) { return a * b; });
    case BinaryFunction::div: return apply(x, y, z, [](float a, float b) { return a / b; });
  }
}

}  // namespace coppice::runtime
