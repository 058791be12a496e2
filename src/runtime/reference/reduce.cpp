// ReduceMean, ReduceSum, ReduceMax, ReduceMin, ReduceL1, ReduceL2 over any set of axes.

#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

struct Reduction {
  double start;
  double (*add)(double sum, double x);
  double (*finish)(double sum, double elements);
};

double keep(double sum, double) { return sum; }

std::vector<int64_t> axes_to_reduce(const Graph& graph, const Node& node, Inputs inputs) {
  const int64_t rank = inputs[0]->rank();
  std::vector<int64_t> all(rank);
  std::iota(all.begin(), all.end(), 0);
  if (node.attributes.integer("noop_with_empty_axes", 0) != 0) all.clear();
  return *axes_of(graph, node, pick(inputs, 1), rank, all);
}

std::vector<Tensor> reduce(const Graph& graph, const Node& node, Inputs inputs,
                           const Reduction& reduction) {
  const auto x = floats(graph, node, inputs, 0);
  const Shape& shape = inputs[0]->shape();
  const bool keep_axes = node.attributes.integer("keepdims", 1) != 0;
  Shape kept = shape, out;  // `kept`: reduced axes as 1
  int64_t elements = 1;
  const auto axes = axes_to_reduce(graph, node, inputs);
  for (const int64_t axis : axes) {
    elements *= shape[axis];
    kept[axis] = 1;
  }
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const bool reduced = std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(axis));
    if (!reduced || keep_axes) out.push_back(kept[axis]);
  }

  const Shape strides = broadcast_strides(kept, shape);
  std::vector<double> sums(element_count(kept), reduction.start);
  for (size_t i = 0; i < x.size(); ++i) {
    int64_t target = 0, rest = static_cast<int64_t>(i);
    for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) {
      target += rest % shape[axis] * strides[axis];
    }
    sums[target] = reduction.add(sums[target], x[i]);
  }
  Tensor result = Tensor::zeros(DType::f32, out);
  std::transform(sums.begin(), sums.end(), result.mutate<float>().begin(), [&](double sum) {
    return static_cast<float>(reduction.finish(sum, static_cast<double>(elements)));
  });
  return {std::move(result)};
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Reduction kMean{0, [](double sum, double x) { return sum + x; },
                          [](double sum, double elements) { return sum / elements; }};
constexpr Reduction kSum{0, [](double sum, double x) { return sum + x; }, keep};
constexpr Reduction kMax{-kInfinity, [](double best, double x) { return std::max(best, x); }, keep};
constexpr Reduction kMin{kInfinity, [](double best, double x) { return std::min(best, x); }, keep};
constexpr Reduction kL1{0, [](double sum, double x) { return sum + std::fabs(x); }, keep};
constexpr Reduction kL2{0, [](double sum, double x) { return sum + x * x; },
                        [](double sum, double) { return std::sqrt(sum); }};

}  // namespace

std::vector<Tensor> reduce_mean(const Graph& graph, const Node& node, Inputs inputs) {
  return reduce(graph, node, inputs, kMean);
}
std::vector<Tensor> reduce_sum(const Graph& graph, const Node& node, Inputs inputs) {
  return reduce(graph, node, inputs, kSum);
}
std::vector<Tensor> reduce_max(const Graph& graph, const Node& node, Inputs inputs) {
  return reduce(graph, node, inputs, kMax);
}
std::vector<Tensor> reduce_min(const Graph& graph, const Node& node, Inputs inputs) {
  return reduce(graph, node, inputs, kMin);
}
std::vector<Tensor> reduce_l1(const Graph& graph, const Node& node, Inputs inputs) {
  return reduce(graph, node, inputs, kL1);
}
std::vector<Tensor> reduce_l2(const Graph& graph, const Node& node, Inputs inputs) {
  return reduce(graph, node, inputs, kL2);
}

}  // namespace coppice::reference
