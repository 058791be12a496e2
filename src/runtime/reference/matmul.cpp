// MatMul: numpy's, with batch axes broadcast and operands of rank 1 promoted.

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

Shape batch_of(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }

}  // namespace

std::vector<Tensor> matmul(const Graph& graph, const Node& node, Inputs inputs) {
  const auto a = floats(graph, node, inputs, 0), b = floats(graph, node, inputs, 1);
  Shape sa = inputs[0]->shape(), sb = inputs[1]->shape();
  const bool row = sa.size() == 1, column = sb.size() == 1;
  if (row) sa.insert(sa.begin(), 1);
  if (column) sb.push_back(1);
  const int64_t rows = sa[sa.size() - 2], inner = sa.back(), columns = sb.back();
  const Shape batch = *broadcast(batch_of(sa), batch_of(sb));
  const Shape a_strides = broadcast_strides(batch_of(sa), batch);
  const Shape b_strides = broadcast_strides(batch_of(sb), batch);

  Shape out = batch;
  if (!row) out.push_back(rows);
  if (!column) out.push_back(columns);
  Tensor result = Tensor::zeros(DType::f32, out);
  float* y = result.mutate<float>().data();
  const int64_t matrices = element_count(batch);
  for (int64_t i = 0; i < matrices; ++i) {
    int64_t from_a = 0, from_b = 0, rest = i;
    for (size_t axis = batch.size(); axis-- > 0; rest /= batch[axis]) {
      from_a += rest % batch[axis] * a_strides[axis];
      from_b += rest % batch[axis] * b_strides[axis];
    }
    for (int64_t m = 0; m < rows; ++m) {
      for (int64_t n = 0; n < columns; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < inner; ++k) {
          sum += static_cast<double>(a[(from_a * rows + m) * inner + k]) *
                 b[(from_b * inner + k) * columns + n];
        }
        *y++ = static_cast<float>(sum);
      }
    }
  }
  return {std::move(result)};
}

}  // namespace coppice::reference
