// Softmax and LogSoftmax: exp(x - max) / sum of them, or its logarithm.
//
// From opset 13 on they normalise one axis (the last by default). Before, the input was seen as a
// matrix, cut before `axis` (1 by default), and whole rows were normalised.

#include <cmath>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

template <typename Finish>
std::vector<Tensor> normalise(const Graph& graph, const Node& node, Inputs inputs, Finish finish) {
  const auto x = floats(graph, node, inputs, 0);
  const Shape& shape = inputs[0]->shape();
  const bool rows = graph.opset < 13;
  const int64_t axis =
      resolve_axis(graph, node, node.attributes.integer("axis", rows ? 1 : -1), inputs[0]->rank());
  const int64_t outer = element_count({shape.begin(), shape.begin() + axis});
  const int64_t after = element_count({shape.begin() + axis + 1, shape.end()});
  const int64_t length = rows ? shape[axis] * after : shape[axis], inner = rows ? 1 : after;

  Tensor result = Tensor::zeros(DType::f32, shape);
  float* y = result.mutate<float>().data();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      const int64_t first = o * length * inner + i;
      double largest = -HUGE_VAL, sum = 0;
      for (int64_t k = 0; k < length; ++k) {
        largest = std::max<double>(largest, x[first + k * inner]);
      }
      for (int64_t k = 0; k < length; ++k) sum += std::exp(x[first + k * inner] - largest);
      for (int64_t k = 0; k < length; ++k) {
        y[first + k * inner] = static_cast<float>(finish(x[first + k * inner] - largest, sum));
      }
    }
  }
  return {std::move(result)};
}

}  // namespace

std::vector<Tensor> softmax(const Graph& graph, const Node& node, Inputs inputs) {
  return normalise(graph, node, inputs, [](double x, double sum) { return std::exp(x) / sum; });
}
std::vector<Tensor> log_softmax(const Graph& graph, const Node& node, Inputs inputs) {
  return normalise(graph, node, inputs, [](double x, double sum) { return x - std::log(sum); });
}

}  // namespace coppice::reference
