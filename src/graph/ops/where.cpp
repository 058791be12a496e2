// Where: picks from x or y by a condition, all three broadcast.

#include <cstring>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

std::optional<Shape> shape_of(const Shape& condition, const Shape& x, const Shape& y) {
  const auto values = broadcast(x, y);
  return values ? broadcast(condition, *values) : std::nullopt;
}

void infer_where(InferContext& context) {
  const auto out = shape_of(context.shape(0), context.shape(1), context.shape(2));
  if (!out) context.fail("the shapes of condition, x and y don't broadcast");
  context.set(0, context.type(1).dtype, *out);
}

void relate_where(Relations& relations) { relate_broadcast(relations, false); }

std::vector<Tensor> evaluate_where(const Graph& graph, const Node& node,
                                   std::span<const Tensor* const> inputs) {
  const Tensor &condition = *inputs[0], &x = *inputs[1], &y = *inputs[2];
  if (x.dtype() != y.dtype() || condition.dtype() != DType::boolean || size_of(x.dtype()) == 0) {
    fail_input(where(graph, node) + ": condition must be bool, x and y of one type");
  }
  const Shape out = *shape_of(condition.shape(), x.shape(), y.shape());
  const Tensor* const sources[] = {&condition, &x, &y};
  Shape steps[3];
  for (int i = 0; i < 3; ++i) steps[i] = broadcast_strides(sources[i]->shape(), out);
  Tensor result = Tensor::zeros(x.dtype(), out);
  const size_t width = size_of(x.dtype());
  std::byte* target = result.mutate_bytes().data();
  Shape index(out.size(), 0);
  for (int64_t i = 0; i < result.size(); ++i, target += width) {
    int64_t offset[3] = {0, 0, 0};
    for (int k = 0; k < 3; ++k) {
      for (size_t axis = 0; axis < out.size(); ++axis) offset[k] += index[axis] * steps[k][axis];
    }
    const int picked = condition.bytes()[offset[0]] != std::byte{0} ? 1 : 2;
    std::memcpy(target, sources[picked]->bytes().data() + offset[picked] * width, width);
    for (size_t axis = out.size(); axis-- > 0;) {
      if (++index[axis] < out[axis]) break;
      index[axis] = 0;
    }
  }
  return {std::move(result)};
}

}  // namespace

extern const OpDef kWhere{.type = "Where",
                          .arity = {3, 3},
                          .reads = {Reads::data},
                          .reach = Reach::element,
                          .infer = infer_where,
                          .relate = relate_where,
                          .evaluate = evaluate_where};

}  // namespace coppice
