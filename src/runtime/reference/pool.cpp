// MaxPool, AveragePool, LpPool and their global forms.
//
// Padding never wins a maximum. An average divides by the number of pixels under the window, or,
// with count_include_pad, by that of pixels and padding; what ceil_mode adds beyond the padding is
// neither, as in PyTorch and ONNX Runtime.

#include <cmath>
#include <limits>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

struct Range {
  int64_t begin, end, step;  // positions in the image, which may lie in the padding
  int64_t cells;             // positions within image and padding
};

Range range_of(const Sliding& s, int axis, int64_t out) {
  const int64_t begin = out * s.strides[axis] - s.begin[axis];
  const int64_t step = s.dilations[axis];
  const int64_t limit = s.in[axis] + s.end[axis];
  const int64_t end = std::min(begin + s.kernel[axis] * step, limit);
  return {begin, end, step, (end - begin + step - 1) / step};
}

// Calls visit(value) for each pixel of the plane under the window at `out`; returns its cells.
template <typename Visit>
int64_t visit_window(const Sliding& s, const float* plane, const Spatial& out, Visit visit) {
  const Range z = range_of(s, 0, out[0]), y = range_of(s, 1, out[1]), x = range_of(s, 2, out[2]);
  for (int64_t d = z.begin; d < z.end; d += z.step) {
    for (int64_t h = y.begin; h < y.end; h += y.step) {
      for (int64_t w = x.begin; w < x.end; w += x.step) {
        const bool inside = d >= 0 && d < s.in[0] && h >= 0 && h < s.in[1] && w >= 0 && w < s.in[2];
        if (inside) visit(plane[(d * s.in[1] + h) * s.in[2] + w]);
      }
    }
  }
  return z.cells * y.cells * x.cells;
}

template <typename PoolWindow>
std::vector<Tensor> pool(const Graph& graph, const Node& node, Inputs inputs, const Sliding& s,
                         PoolWindow pool_window) {
  const auto x = floats(graph, node, inputs, 0);
  Tensor result = Tensor::zeros(DType::f32, with_spatial(inputs[0]->shape(), s.out));
  const int64_t planes = inputs[0]->shape()[0] * inputs[0]->shape()[1];
  float* y = result.mutate<float>().data();
  for (int64_t p = 0; p < planes; ++p) {
    const float* plane = x.data() + p * count(s.in);
    for (int64_t d = 0; d < s.out[0]; ++d) {
      for (int64_t h = 0; h < s.out[1]; ++h) {
        for (int64_t w = 0; w < s.out[2]; ++w) *y++ = pool_window(plane, Spatial{d, h, w});
      }
    }
  }
  return {std::move(result)};
}

Sliding local(const Graph& graph, const Node& node, Inputs inputs) {
  const bool ceil = node.attributes.integer("ceil_mode", 0) != 0;
  return sliding_of(graph, node, inputs[0]->shape(), *node.attributes.integers("kernel_shape"),
                    ceil);
}

Sliding global(const Graph& graph, const Node& node, Inputs inputs) {
  const Shape& shape = inputs[0]->shape();
  return sliding_of(graph, node, shape, {shape.begin() + 2, shape.end()}, false);
}

// The maximum, and where it stands in the whole input: by rows, or, asked for so, by columns.
std::vector<Tensor> maximum_and_places(const Graph& graph, const Node& node, Inputs inputs,
                                       const Sliding& s) {
  const bool by_columns = node.attributes.integer("storage_order", 0) != 0;
  const float* x = inputs[0]->as<float>().data();
  std::vector<int64_t> places;
  std::vector<Tensor> result =
      pool(graph, node, inputs, s, [&](const float* plane, const Spatial& out) {
        const float* best = nullptr;
        visit_window(s, plane, out, [&](const float& at) {
          if (!best || at > *best) best = &at;
        });
        const int64_t within = best ? best - plane : 0, first = plane - x;
        const int64_t row = within / s.in[2], column = within % s.in[2];
        places.push_back(first + (by_columns ? column * s.in[1] + row : within));
        return best ? *best : -std::numeric_limits<float>::infinity();
      });
  result.push_back(Tensor::of<int64_t>(result[0].shape(), places));
  return result;
}

std::vector<Tensor> maximum(const Graph& graph, const Node& node, Inputs inputs, const Sliding& s) {
  if (node.outputs.size() > 1 && node.outputs[1] != kNoValue) {
    return maximum_and_places(graph, node, inputs, s);
  }
  return pool(graph, node, inputs, s, [&](const float* plane, const Spatial& out) {
    float best = -std::numeric_limits<float>::infinity();
    visit_window(s, plane, out, [&](float x) { best = std::max(best, x); });
    return best;
  });
}

std::vector<Tensor> average(const Graph& graph, const Node& node, Inputs inputs, const Sliding& s) {
  const bool include_pad = node.attributes.integer("count_include_pad", 0) != 0;
  return pool(graph, node, inputs, s, [&](const float* plane, const Spatial& out) {
    double sum = 0;
    int64_t pixels = 0;
    const int64_t cells = visit_window(s, plane, out, [&](float x) {
      sum += x;
      ++pixels;
    });
    return static_cast<float>(sum / static_cast<double>(include_pad ? cells : pixels));
  });
}

std::vector<Tensor> norm(const Graph& graph, const Node& node, Inputs inputs, const Sliding& s) {
  const auto p = static_cast<double>(node.attributes.integer("p", 2));
  return pool(graph, node, inputs, s, [&](const float* plane, const Spatial& out) {
    double sum = 0;
    visit_window(s, plane, out, [&](float x) { sum += std::pow(std::fabs(double{x}), p); });
    return static_cast<float>(std::pow(sum, 1 / p));
  });
}

}  // namespace

std::vector<Tensor> max_unpool(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0);
  const std::vector<int64_t> places = to_int64s(*inputs[1]);
  Shape shape = inputs[0]->shape();
  if (const Tensor* given = pick(inputs, 2)) {
    shape = to_int64s(*given);
  } else {
    const Shape spatial(shape.begin() + 2, shape.end());
    const Window window =
        window_of(graph, node, spatial, *node.attributes.integers("kernel_shape"));
    for (size_t i = 0; i < spatial.size(); ++i) {
      shape[2 + i] =
          (spatial[i] - 1) * window.strides[i] + window.kernel[i] - window.begin[i] - window.end[i];
    }
  }
  Tensor result = Tensor::zeros(DType::f32, shape);
  const auto y = result.mutate<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    if (places[i] < 0 || places[i] >= result.size()) {
      fail_input(where(graph, node) + ": position " + std::to_string(places[i]) +
                 " lies outside of " + to_string(shape));
    }
    y[places[i]] = x[i];
  }
  return {std::move(result)};
}

std::vector<Tensor> max_pool(const Graph& graph, const Node& node, Inputs inputs) {
  return maximum(graph, node, inputs, local(graph, node, inputs));
}
std::vector<Tensor> average_pool(const Graph& graph, const Node& node, Inputs inputs) {
  return average(graph, node, inputs, local(graph, node, inputs));
}
std::vector<Tensor> global_max_pool(const Graph& graph, const Node& node, Inputs inputs) {
  return maximum(graph, node, inputs, global(graph, node, inputs));
}
std::vector<Tensor> lp_pool(const Graph& graph, const Node& node, Inputs inputs) {
  return norm(graph, node, inputs, local(graph, node, inputs));
}
std::vector<Tensor> global_lp_pool(const Graph& graph, const Node& node, Inputs inputs) {
  return norm(graph, node, inputs, global(graph, node, inputs));
}
std::vector<Tensor> global_average_pool(const Graph& graph, const Node& node, Inputs inputs) {
  return average(graph, node, inputs, global(graph, node, inputs));
}

}  // namespace coppice::reference
