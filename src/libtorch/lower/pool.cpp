// MaxPool, AveragePool and their global forms.
//
// LibTorch's pools take padding that is the same on both sides and at most half a kernel. Anything
// else gets its padding beforehand, just as much as the windows of the output reach: minus infinity
// for a maximum; zeros for an average, which is then a convolution of each channel with ones,
// divided by the counts that ONNX defines.
#include <algorithm>
#include <limits>

#include "graph/ops/ops.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

struct Pooling {
  Window window;
  Shape input, output;  // spatial
  bool ceil = false;
  bool plain = true;  // LibTorch's own padding will do
};

Pooling pooling_of(const LowerContext& context) {
  const Shape &x = context.shape(0), &y = context.output_shape();
  if (x.size() > 5) {
    context.fail("input has rank " + std::to_string(x.size()) + ", expected 3 to 5");
  }
  Pooling pool;
  pool.input.assign(x.begin() + 2, x.end());
  pool.output.assign(y.begin() + 2, y.end());
  pool.window = window_of(context.graph(), context.node(), pool.input,
                          *context.attributes().integers("kernel_shape"));
  pool.ceil = context.attributes().integer("ceil_mode", 0) != 0;
  for (size_t axis = 0; axis < pool.input.size(); ++axis) {
    const int64_t begin = pool.window.begin[axis], end = pool.window.end[axis];
    const bool fits = begin == end && begin >= 0 && 2 * begin <= pool.window.kernel[axis];
    pool.plain = pool.plain && fits;
  }
  return pool;
}

// Padding, for at::constant_pad_nd, after which the windows tile the image exactly.
std::vector<int64_t> exact_padding(const Pooling& pool) {
  std::vector<int64_t> end;
  for (size_t axis = 0; axis < pool.input.size(); ++axis) {
    const Window& w = pool.window;
    const int64_t extent = (w.kernel[axis] - 1) * w.dilations[axis] + 1;
    const int64_t reach = (pool.output[axis] - 1) * w.strides[axis] + extent;
    end.push_back(reach - w.begin[axis] - pool.input[axis]);
  }
  return last_axis_first(pool.window.begin, end);
}

// For each output position the cells it averages over: pixels, or pixels and padding.
at::Tensor window_counts(const Pooling& pool, bool include_pad) {
  at::Tensor counts = at::ones({1, 1}, at::kDouble);
  for (size_t axis = 0; axis < pool.input.size(); ++axis) {
    const Window& w = pool.window;
    const int64_t low = include_pad ? -w.begin[axis] : 0;
    const int64_t high = pool.input[axis] + (include_pad ? w.end[axis] : 0);
    at::Tensor along = at::zeros({pool.output[axis]}, at::kDouble);
    for (int64_t out = 0; out < pool.output[axis]; ++out) {
      int64_t cells = 0;
      for (int64_t tap = 0; tap < w.kernel[axis]; ++tap) {
        const int64_t place = out * w.strides[axis] - w.begin[axis] + tap * w.dilations[axis];
        cells += place >= low && place < high;
      }
      along[out] = cells;
    }
    counts = counts.unsqueeze(-1) * along;
  }
  return counts;
}

at::Tensor max_pool(const at::Tensor& x, const Pooling& pool, const std::vector<int64_t>& padding) {
  const Window& w = pool.window;
  switch (pool.input.size()) {
    case 1: return at::max_pool1d(x, w.kernel, w.strides, padding, w.dilations, pool.ceil);
    case 2: return at::max_pool2d(x, w.kernel, w.strides, padding, w.dilations, pool.ceil);
    default: return at::max_pool3d(x, w.kernel, w.strides, padding, w.dilations, pool.ceil);
  }
}

at::Tensor average_pool(const at::Tensor& x, const Pooling& pool, bool include_pad) {
  const Window& w = pool.window;
  switch (pool.input.size()) {
    case 1: return at::avg_pool1d(x, w.kernel, w.strides, w.begin, pool.ceil, include_pad);
    case 2: return at::avg_pool2d(x, w.kernel, w.strides, w.begin, pool.ceil, include_pad);
    default: return at::avg_pool3d(x, w.kernel, w.strides, w.begin, pool.ceil, include_pad);
  }
}

std::vector<int64_t> pixel_axes(const LowerContext& context) {
  std::vector<int64_t> axes;
  for (int64_t axis = 2; axis < context.rank(0); ++axis) axes.push_back(axis);
  return axes;
}

}  // namespace

Step lower_max_pool(const LowerContext& context) {
  Pooling pool = pooling_of(context);
  if (pool.plain) {
    return of_one(context,
                  [pool](const at::Tensor& x) { return max_pool(x, pool, pool.window.begin); });
  }
  pool.ceil = false;
  return of_one(context, [pool, pads = exact_padding(pool),
                          none = std::vector<int64_t>(pool.input.size(), 0)](const at::Tensor& x) {
    constexpr double kLowest = -std::numeric_limits<double>::infinity();
    return max_pool(at::constant_pad_nd(x, pads, kLowest), pool, none);
  });
}

Step lower_average_pool(const LowerContext& context) {
  const Pooling pool = pooling_of(context);
  const bool include_pad = context.attributes().integer("count_include_pad", 0) != 0;
  const bool dilated = std::ranges::any_of(pool.window.dilations, [](int64_t d) { return d != 1; });
  if (pool.plain && !dilated) {
    return of_one(context, [=](const at::Tensor& x) { return average_pool(x, pool, include_pad); });
  }
  Shape ones{context.shape(0)[1], 1};
  ones.insert(ones.end(), pool.window.kernel.begin(), pool.window.kernel.end());
  return of_one(
      context, [ones, pool, pads = exact_padding(pool), counts = window_counts(pool, include_pad),
                none = std::vector<int64_t>(pool.input.size(), 0)](const at::Tensor& x) {
        const at::Tensor sums =
            at::convolution(at::constant_pad_nd(x, pads, 0), at::ones(ones, x.options()), {},
                            pool.window.strides, none, pool.window.dilations, false, none, ones[0]);
        return sums / counts.to(x.options());
      });
}

Step lower_global_average_pool(const LowerContext& context) {
  return of_one(context, [axes = pixel_axes(context)](const at::Tensor& x) {
    return at::mean(x, axes, true);
  });
}

Step lower_global_max_pool(const LowerContext& context) {
  return of_one(context, [axes = pixel_axes(context)](const at::Tensor& x) {
    return at::amax(x, axes, true);
  });
}

}  // namespace coppice::train
