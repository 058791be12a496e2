// Gemm: y = alpha A' B' + beta C, with A' = A or its transpose, C broadcast to [M, N].

#include "runtime/reference/kernels.h"

namespace coppice::reference {

std::vector<Tensor> gemm(const Graph& graph, const Node& node, Inputs inputs) {
  const auto a = floats(graph, node, inputs, 0), b = floats(graph, node, inputs, 1);
  const bool trans_a = node.attributes.integer("transA", 0) != 0;
  const bool trans_b = node.attributes.integer("transB", 0) != 0;
  const double alpha = node.attributes.real("alpha", 1), beta = node.attributes.real("beta", 1);
  const Shape &sa = inputs[0]->shape(), &sb = inputs[1]->shape();
  const int64_t rows = sa[trans_a ? 1 : 0], inner = sa[trans_a ? 0 : 1],
                columns = sb[trans_b ? 0 : 1];
  const Shape out{rows, columns};
  const auto c = pick(inputs, 2) ? floats(graph, node, inputs, 2) : std::span<const float>();
  const Shape c_strides = c.empty() ? Shape{0, 0} : broadcast_strides(inputs[2]->shape(), out);

  Tensor result = Tensor::zeros(DType::f32, out);
  float* y = result.mutate<float>().data();
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t n = 0; n < columns; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) {
        const double left = a[trans_a ? k * rows + m : m * inner + k];
        sum += left * b[trans_b ? n * inner + k : k * columns + n];
      }
      const double added = c.empty() ? 0 : c[m * c_strides[0] + n * c_strides[1]];
      y[m * columns + n] = static_cast<float>(alpha * sum + beta * added);
    }
  }
  return {std::move(result)};
}

}  // namespace coppice::reference
