// Conv: y[n, o, p] = b[o] + sum over i, k of x[n, g I/G + i, p s + k d - begin] w[o, i, k], where
// g = o / (O/G) and whatever lies outside the image is zero.
//
// Output planes are divided over the cores: each is summed by one thread in one order, so results
// don't depend on their number, and tests on real nets stay in seconds.

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

std::vector<Tensor> conv(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0), weight = floats(graph, node, inputs, 1);
  const Shape &x_shape = inputs[0]->shape(), &w_shape = inputs[1]->shape();
  const Sliding s = sliding_of(graph, node, x_shape, {w_shape.begin() + 2, w_shape.end()}, false);
  const int64_t group = node.attributes.integer("group", 1);
  const int64_t filters = w_shape[0], inner = w_shape[1], taps = count(s.kernel);
  const auto bias = pick(inputs, 2) ? floats(graph, node, inputs, 2) : std::span<const float>();

  Shape shape = with_spatial(x_shape, s.out);
  shape[1] = filters;
  Tensor result = Tensor::zeros(DType::f32, shape);
  float* y = result.mutate<float>().data();
  parallel_for(x_shape[0] * filters, 1, [&](int64_t begin, int64_t end) {
    std::vector<double> plane(count(s.out));
    for (int64_t p = begin; p < end; ++p) {
      const int64_t n = p / filters, o = p % filters, first = o / (filters / group) * inner;
      std::fill(plane.begin(), plane.end(), bias.empty() ? 0.0 : bias[o]);
      for (int64_t i = 0; i < inner; ++i) {
        add_channel(s, x.data() + (n * x_shape[1] + first + i) * count(s.in),
                    weight.data() + (o * inner + i) * taps, plane.data());
      }
      std::copy(plane.begin(), plane.end(), y + p * count(s.out));
    }
  });
  return {std::move(result)};
}

}  // namespace coppice::reference
