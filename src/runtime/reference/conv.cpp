// Conv: y[n, o, p] = b[o] + sum over i, k of x[n, g I/G + i, p s + k d - begin] w[o, i, k], where
// g = o / (O/G) and whatever lies outside the image is zero.
//
// Output planes are divided over the cores: each is summed by one thread in one order, so results
// don't depend on their number, and tests on real nets stay in seconds.

#include <algorithm>
#include <utility>

#include "core/threads.h"
#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

// The outputs [first, second) of one axis whose tap lies inside the image.
std::pair<int64_t, int64_t> inside(const Sliding& s, int axis, int64_t tap) {
  const int64_t shift = tap * s.dilations[axis] - s.begin[axis], stride = s.strides[axis];
  const int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const int64_t room = s.in[axis] - 1 - shift;  // of the last pixel, from the first tap's place
  return {first, room < 0 ? first : std::min(s.out[axis], room / stride + 1)};
}

// plane += weight * (x moved by one tap of the kernel)
void add_tap(const Sliding& s, const Spatial& tap, const float* x, double weight, double* plane) {
  const auto [d_first, d_last] = inside(s, 0, tap[0]);
  const auto [h_first, h_last] = inside(s, 1, tap[1]);
  const auto [w_first, w_last] = inside(s, 2, tap[2]);
  const auto place = [&](int axis, int64_t out) {
    return out * s.strides[axis] + tap[axis] * s.dilations[axis] - s.begin[axis];
  };
  for (int64_t d = d_first; d < d_last; ++d) {
    for (int64_t h = h_first; h < h_last; ++h) {
      const float* row = x + (place(0, d) * s.in[1] + place(1, h)) * s.in[2] + place(2, 0);
      double* out = plane + (d * s.out[1] + h) * s.out[2];
      for (int64_t w = w_first; w < w_last; ++w) out[w] += weight * row[w * s.strides[2]];
    }
  }
}

void add_channel(const Sliding& s, const float* x, const float* weight, double* plane) {
  for (int64_t a = 0; a < s.kernel[0]; ++a) {
    for (int64_t b = 0; b < s.kernel[1]; ++b) {
      for (int64_t c = 0; c < s.kernel[2]; ++c) add_tap(s, {a, b, c}, x, *weight++, plane);
    }
  }
}

}  // namespace

void convolve(const Graph& graph, const Node& node, const Convolved& of,
              const std::function<void(const Shape&)>& begin_with,
              const std::function<void(int64_t, std::span<const double>)>& put) {
  const Shape kernel(of.weight_shape.begin() + 2, of.weight_shape.end());
  const Sliding s = sliding_of(graph, node, of.x_shape, kernel, false);
  const int64_t group = node.attributes.integer("group", 1);
  const int64_t filters = of.weight_shape[0], inner = of.weight_shape[1], taps = count(s.kernel);
  Shape shape = with_spatial(of.x_shape, s.out);
  shape[1] = filters;
  begin_with(shape);
  parallel_for(of.x_shape[0] * filters, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> plane(count(s.out));
    for (int64_t p = begin; p < end; ++p) {
      const int64_t n = p / filters, o = p % filters, first = o / (filters / group) * inner;
      std::fill(plane.begin(), plane.end(), of.bias.empty() ? 0.0 : of.bias[o]);
      for (int64_t i = 0; i < inner; ++i) {
        add_channel(s, of.x.data() + (n * of.x_shape[1] + first + i) * count(s.in),
                    of.weight.data() + (o * inner + i) * taps, plane.data());
      }
      put(p, plane);
    }
  });
}

std::vector<Tensor> conv(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0), weight = floats(graph, node, inputs, 1);
  const auto bias = pick(inputs, 2) ? floats(graph, node, inputs, 2) : std::span<const float>();
  Tensor result;
  float* y = nullptr;
  convolve(
      graph, node, {x, inputs[0]->shape(), weight, inputs[1]->shape(), bias},
      [&](const Shape& shape) {
        result = Tensor::zeros(DType::f32, shape);
        y = result.mutate<float>().data();
      },
      [&](int64_t plane, std::span<const double> sums) {
        std::copy(sums.begin(), sums.end(), y + plane * std::ssize(sums));
      });
  return {std::move(result)};
}

}  // namespace coppice::reference
