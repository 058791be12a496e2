// ArgMax, ArgMin, TopK and CumSum: walks along one axis.

#include <numeric>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

// The axis as `size` elements, `inner` apart, starting at each of `starts`.
struct Lines {
  int64_t axis, size, inner;
  std::vector<int64_t> starts;
};

Lines lines_of(const Tensor& x, int64_t axis) {
  const Shape& shape = x.shape();
  Lines lines{axis, shape[axis], element_count({shape.begin() + axis + 1, shape.end()}), {}};
  const int64_t block = lines.size * lines.inner;
  for (int64_t i = 0; i < x.size(); ++i) {
    if (i % block < lines.inner) lines.starts.push_back(i);
  }
  return lines;
}

int64_t axis_of(const Graph& graph, const Node& node, Inputs inputs, int64_t otherwise) {
  return resolve_axis(graph, node, node.attributes.integer("axis", otherwise), inputs[0]->rank());
}

// Positions on the line, the largest first (or the smallest), equal ones in their order.
std::vector<int64_t> ranked(std::span<const float> x, const Lines& lines, int64_t start,
                            bool largest) {
  std::vector<int64_t> order(lines.size);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int64_t a, int64_t b) {
    const float left = x[start + a * lines.inner], right = x[start + b * lines.inner];
    return largest ? left > right : left < right;
  });
  return order;
}

std::vector<Tensor> extreme(const Graph& graph, const Node& node, Inputs inputs, bool largest) {
  const auto x = floats(graph, node, inputs, 0);
  if (node.attributes.integer("select_last_index", 0) != 0) {
    fail_input(where(graph, node) + ": 'select_last_index' can't be run");
  }
  const Lines lines = lines_of(*inputs[0], axis_of(graph, node, inputs, 0));
  std::vector<int64_t> places;
  for (const int64_t start : lines.starts) {
    places.push_back(ranked(x, lines, start, largest).front());
  }
  Shape shape = inputs[0]->shape();
  if (node.attributes.integer("keepdims", 1) != 0) {
    shape[lines.axis] = 1;
  } else {
    shape.erase(shape.begin() + lines.axis);
  }
  return {Tensor::of<int64_t>(shape, places)};
}

}  // namespace

std::vector<Tensor> arg_max(const Graph& graph, const Node& node, Inputs inputs) {
  return extreme(graph, node, inputs, true);
}
std::vector<Tensor> arg_min(const Graph& graph, const Node& node, Inputs inputs) {
  return extreme(graph, node, inputs, false);
}

std::vector<Tensor> top_k(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0);
  const Lines lines = lines_of(*inputs[0], axis_of(graph, node, inputs, -1));
  const int64_t k =
      pick(inputs, 1) ? to_int64s(*inputs[1]).front() : node.attributes.integer("k", 0);
  if (k < 0 || k > lines.size) {
    fail_input(where(graph, node) + ": asks for " + std::to_string(k) + " of " +
               std::to_string(lines.size));
  }
  Shape shape = inputs[0]->shape();
  shape[lines.axis] = k;
  Tensor values = Tensor::zeros(DType::f32, shape), indices = Tensor::zeros(DType::i64, shape);
  const bool largest = node.attributes.integer("largest", 1) != 0;
  for (const int64_t start : lines.starts) {
    const std::vector<int64_t> order = ranked(x, lines, start, largest);
    const int64_t block = lines.size * lines.inner;
    const int64_t target = start / block * k * lines.inner + start % block;
    for (int64_t i = 0; i < k; ++i) {
      values.mutate<float>()[target + i * lines.inner] = x[start + order[i] * lines.inner];
      indices.mutate<int64_t>()[target + i * lines.inner] = order[i];
    }
  }
  return {std::move(values), std::move(indices)};
}

namespace {

// What comes of all before each element, one axis walked along.
template <typename Join>
std::vector<Tensor> cumulated(const Graph& graph, const Node& node, Inputs inputs, double start,
                              Join join) {
  const auto x = floats(graph, node, inputs, 0);
  const int64_t axis = resolve_axis(graph, node, to_int64s(*inputs[1]).front(), inputs[0]->rank());
  const bool exclusive = node.attributes.integer("exclusive", 0) != 0;
  const bool reverse = node.attributes.integer("reverse", 0) != 0;
  const Lines lines = lines_of(*inputs[0], axis);
  Tensor result = Tensor::zeros(DType::f32, inputs[0]->shape());
  for (const int64_t first : lines.starts) {
    double found = start;
    for (int64_t i = 0; i < lines.size; ++i) {
      const int64_t at = first + (reverse ? lines.size - 1 - i : i) * lines.inner;
      if (!exclusive) found = join(found, x[at]);
      result.mutate<float>()[at] = static_cast<float>(found);
      if (exclusive) found = join(found, x[at]);
    }
  }
  return {std::move(result)};
}

}  // namespace

std::vector<Tensor> cum_sum(const Graph& graph, const Node& node, Inputs inputs) {
  return cumulated(graph, node, inputs, 0, [](double sum, double x) { return sum + x; });
}

std::vector<Tensor> cum_prod(const Graph& graph, const Node& node, Inputs inputs) {
  return cumulated(graph, node, inputs, 1, [](double product, double x) { return product * x; });
}

// Source: the reference implementation in ONNX's documentation of TensorScatter. Differs: none
// known.
std::vector<Tensor> tensor_scatter(const Graph& graph, const Node& node, Inputs inputs) {
  const auto update = floats(graph, node, inputs, 1);
  floats(graph, node, inputs, 0);
  const Shape &past = inputs[0]->shape(), &given = inputs[1]->shape();
  const int64_t axis =
      resolve_axis(graph, node, node.attributes.integer("axis", -2), inputs[0]->rank());
  const bool circular = node.attributes.text("mode", "linear") == "circular";
  const std::vector<int64_t> places =
      pick(inputs, 2) ? to_int64s(*inputs[2]) : std::vector<int64_t>(given[0], 0);
  int64_t inner = 1, rows = 1;
  for (size_t i = static_cast<size_t>(axis) + 1; i < past.size(); ++i) inner *= past[i];
  for (int64_t i = 0; i < axis; ++i) rows *= past[i];
  Tensor result = *inputs[0];
  const auto to = result.mutate<float>();
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t first = places[row * past[0] / rows];
    for (int64_t i = 0; i < given[axis]; ++i) {
      const int64_t at = circular ? (first + i) % past[axis] : first + i;
      if (at < 0 || at >= past[axis]) {
        fail_input(where(graph, node) + ": place " + std::to_string(at) +
                   " is out of range for an axis of " + std::to_string(past[axis]));
      }
      std::copy_n(update.begin() + (row * given[axis] + i) * inner, inner,
                  to.begin() + (row * past[axis] + at) * inner);
    }
  }
  return {std::move(result)};
}

}  // namespace coppice::reference
