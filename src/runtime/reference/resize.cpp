// Resize and Upsample: nearest and linear, axis after axis (linear interpolation is separable).
//
// An output pixel at i lies at some x in the input, by the coordinate transformation; nearest takes
// one pixel by its rounding, linear the two around x, held at the borders.

#include <cmath>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

struct Rules {
  std::string coordinates, rounding;
  bool linear = false;
};

Rules rules_of(const Graph& graph, const Node& node) {
  const bool upsample = node.op_type == "Upsample" || graph.opset < 11;
  Rules rules;
  rules.coordinates = node.attributes.text("coordinate_transformation_mode",
                                           upsample ? "asymmetric" : "half_pixel");
  rules.rounding = node.attributes.text("nearest_mode", upsample ? "floor" : "round_prefer_floor");
  const std::string mode = node.attributes.text("mode", "nearest");
  rules.linear = mode == "linear";
  if (mode != "linear" && mode != "nearest") {
    fail_input(where(graph, node) + ": mode '" + mode + "' can't be run; nearest and linear can");
  }
  if (node.attributes.integer("antialias", 0) != 0) {
    fail_input(where(graph, node) + ": 'antialias' can't be run");
  }
  return rules;
}

double position(const Graph& graph, const Node& node, const Rules& rules, int64_t i, double scale,
                int64_t in, int64_t out) {
  const auto at = static_cast<double>(i);
  if (rules.coordinates == "asymmetric") return at / scale;
  if (rules.coordinates == "half_pixel") return (at + 0.5) / scale - 0.5;
  if (rules.coordinates == "pytorch_half_pixel") return out > 1 ? (at + 0.5) / scale - 0.5 : 0;
  if (rules.coordinates == "align_corners") {
    return out == 1 ? 0 : at * static_cast<double>(in - 1) / static_cast<double>(out - 1);
  }
  fail_input(where(graph, node) + ": coordinate_transformation_mode '" + rules.coordinates +
             "' can't be run");
}

double rounded(const std::string& rounding, double x) {
  if (rounding == "floor") return std::floor(x);
  if (rounding == "ceil") return std::ceil(x);
  if (rounding == "round_prefer_ceil") return std::floor(x + 0.5);
  return std::ceil(x - 0.5);
}

// What one output index is made of: two input indices and the share of the second.
struct Blend {
  int64_t low, high;
  double share;
};

std::vector<Blend> blends_of(const Graph& graph, const Node& node, const Rules& rules, double scale,
                             int64_t in, int64_t out) {
  std::vector<Blend> blends;
  const auto held = [&](double x) {
    return std::clamp<int64_t>(static_cast<int64_t>(x), 0, in - 1);
  };
  for (int64_t i = 0; i < out; ++i) {
    const double x = position(graph, node, rules, i, scale, in, out);
    if (rules.linear) {
      const double inside = std::clamp(x, 0.0, static_cast<double>(in - 1));
      const double low = std::floor(inside);
      blends.push_back({held(low), held(low + 1), inside - low});
    } else {
      const int64_t nearest = held(rounded(rules.rounding, x));
      blends.push_back({nearest, nearest, 0});
    }
  }
  return blends;
}

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
  const Rules rules = rules_of(graph, node);
  const bool early = node.op_type == "Upsample" || graph.opset < 11;
  const ResizeTarget target =
      *resize_target(graph, node, inputs[0]->shape(), pick(inputs, early ? 1 : 2),
                     early ? nullptr : pick(inputs, 3));
  Tensor result = *inputs[0];
  for (int64_t axis = 0; axis < result.rank(); ++axis) {
    const int64_t in = result.shape()[axis], out = target.shape[axis];
    if (in == out && target.scales[axis] == 1) continue;
    result = resize_axis(result, axis, blends_of(graph, node, rules, target.scales[axis], in, out));
  }
  return {std::move(result)};
}

}  // namespace coppice::reference
