// MatMul: [..., M, K] x [..., K, N] -> [..., M, N], batch axes broadcast, rank 1 promoted. Either
// operand may be the weight, or neither (attention): then a dead index must be exactly zero on both
// sides for a cut to equal its mask.

#include "graph/ops/matmul.h"

#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

Shape batch_of(const Shape& shape) {
  return shape.size() <= 2 ? Shape{} : Shape(shape.begin(), shape.end() - 2);
}

}  // namespace

Shape multiplied(InferContext& context, int right) {
  Shape a = context.shape(0), b = context.shape(right);
  if (a.empty() || b.empty()) context.fail("an operand is a scalar, expected rank 1 or more");
  const bool row = a.size() == 1, column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  const int64_t inner = a.back(), other = b[b.size() - 2];
  const auto batch = broadcast(batch_of(a), batch_of(b));
  if (inner != other || !batch) {
    const ValueId source = context.node().inputs[0];
    context.fail("right operand expects " + std::to_string(other) + " features, input '" +
                 context.graph().value(source).name + "' of shape " + to_string(context.shape(0)) +
                 " has " + std::to_string(inner));
  }
  Shape out = *batch;
  if (!row) out.push_back(a[a.size() - 2]);
  if (!column) out.push_back(b.back());
  return out;
}

namespace {

void relate_batch(Relations& relations, int right) {
  const int64_t a = relations.rank(0), b = relations.rank(right);
  const int64_t out = std::max(a, b);
  for (int64_t axis = 0; axis < out - 2; ++axis) {
    const int64_t in_a = axis - (out - a), in_b = axis - (out - b);
    const int64_t size = relations.output_shape(0)[axis];
    const bool has_a = in_a >= 0 && relations.input_shape(0)[in_a] == size;
    const bool has_b = in_b >= 0 && relations.input_shape(right)[in_b] == size;
    if (has_a && has_b) {
      relations.unify(relations.input(0, in_a), relations.input(right, in_b), "batch of MatMul");
    }
    if (has_a) relations.output(0, axis, relations.input(0, in_a), false);
    if (!has_a && has_b) relations.output(0, axis, relations.input(right, in_b), false);
  }
}

}  // namespace

void relate_product(Relations& relations, int right) {
  const int64_t a = relations.rank(0), b = relations.rank(right);
  const int64_t a_inner = a - 1, b_inner = b == 1 ? 0 : b - 2;
  relate_contraction(relations, 0, a_inner, right, b_inner, "contraction of MatMul");
  const auto out = static_cast<int64_t>(relations.output_shape(0).size());
  if (b >= 2) {
    relations.role(right, b - 1, Role::filter);
    relations.role(right, b_inner, Role::input_channel);
    relations.output(0, out - 1, relations.input(right, b - 1),
                     relations.zero_when_dead(right, b - 1));
  }
  if (a >= 2) {
    const bool weight = relations.known(0) != nullptr;
    if (weight) {
      relations.role(0, a - 2, Role::filter);
      relations.role(0, a_inner, Role::input_channel);
    }
    relations.output(0, b >= 2 ? out - 2 : out - 1, relations.input(0, a - 2),
                     relations.zero_when_dead(0, a - 2));
  }
  relate_batch(relations, right);
}

Product product_of(std::span<const float> a, Shape sa, std::span<const float> b, Shape sb) {
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
  std::vector<double> sums;
  sums.reserve(element_count(out));
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
        sums.push_back(sum);
      }
    }
  }
  return {std::move(out), std::move(sums)};
}

namespace {

void infer_matmul(InferContext& context) {
  context.set(0, context.type(0).dtype, multiplied(context, 1));
}

void relate_matmul(Relations& relations) { relate_product(relations, 1); }

int64_t macs_matmul(const Node&, std::span<const Shape> inputs, std::span<const Shape> outputs) {
  return element_count(outputs[0]) * inputs[0].back();
}

std::vector<Tensor> evaluate_matmul(const Graph& graph, const Node& node,
                                    std::span<const Tensor* const> inputs) {
  for (const Tensor* input : inputs) {
    if (input->dtype() == DType::f32) continue;
    fail_input(where(graph, node) + ": an operand is " + name_of(input->dtype()) +
               ", only float32 can be run; convert the model");
  }
  const Product product = product_of(inputs[0]->as<float>(), inputs[0]->shape(),
                                     inputs[1]->as<float>(), inputs[1]->shape());
  Tensor result = Tensor::zeros(DType::f32, product.shape);
  std::ranges::transform(product.sums, result.mutate<float>().begin(),
                         [](double sum) { return static_cast<float>(sum); });
  return {std::move(result)};
}

// Left of the product stands [..., O, I], right of it [..., I, O].
LinearLayer linear_matmul(const Node&, int weight) {
  const int64_t outer = weight == 0 ? -2 : -1, inner = weight == 0 ? -1 : -2;
  return {.kind = LinearLayer::Kind::product,
          .data = 1 - weight,
          .weight = weight,
          .bias = -1,
          .outputs = outer,
          .inputs = inner,
          .channels = outer,
          .results = outer};
}

}  // namespace

extern const OpDef kMatMul{.type = "MatMul",
                           .arity = {2, 2},
                           .reads = {Reads::weight},
                           .infer = infer_matmul,
                           .relate = relate_matmul,
                           .macs = macs_matmul,
                           .evaluate = evaluate_matmul,
                           .linear = linear_matmul};

}  // namespace coppice
