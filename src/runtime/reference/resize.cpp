// Resize and Upsample: nearest and linear, by the blends of graph/ops/resize.h, axis after axis.

#include "graph/ops/resize.h"

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

Tensor resize_axis(const Tensor& x, int64_t axis, const std::vector<Blend>& blends) {
  Shape shape = x.shape();
  const int64_t in = shape[axis];
  const int64_t inner = element_count({shape.begin() + axis + 1, shape.end()});
  shape[axis] = static_cast<int64_t>(blends.size());
  Tensor result = Tensor::zeros(DType::f32, shape);
  const float* source = x.as<float>().data();
  float* target = result.mutate<float>().data();
  for (int64_t outer = 0; outer < x.size() / std::max<int64_t>(1, in * inner); ++outer) {
    for (const Blend& blend : blends) {
      const float* low = source + (outer * in + blend.low) * inner;
      const float* high = source + (outer * in + blend.high) * inner;
      for (int64_t i = 0; i < inner; ++i) {
        *target++ = static_cast<float>((1 - blend.share) * low[i] + blend.share * high[i]);
      }
    }
  }
  return result;
}

}  // namespace

std::vector<Tensor> resize(const Graph& graph, const Node& node, Inputs inputs) {
  floats(graph, node, inputs, 0);
  const Shape& input = inputs[0]->shape();
  const ResizePlaces places = resize_places(graph, node);
  const auto given = [&](int place) { return place < 0 ? nullptr : pick(inputs, place); };
  const ResizeTarget target =
      *resize_target(graph, node, input, given(places.scales), given(places.sizes));
  Tensor result = *inputs[0];
  for (int64_t axis = 0; axis < result.rank(); ++axis) {
    const auto blends = resize_blends(graph, node, input, target, axis);
    if (blends) result = resize_axis(result, axis, *blends);
  }
  return {std::move(result)};
}

}  // namespace coppice::reference
