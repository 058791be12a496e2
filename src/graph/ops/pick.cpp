// Operators that look for, count or scatter along an axis: ArgMax, ArgMin, TopK, CumSum, Range,
// ScatterND. The position on such an axis means something, so it is pinned; other axes pass.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

int64_t axis_of(const Graph& graph, const Node& node, int64_t rank, int64_t otherwise) {
  return resolve_axis(graph, node, node.attributes.integer("axis", otherwise), rank);
}

void infer_arg(InferContext& context) {
  const int64_t axis = axis_of(context.graph(), context.node(), context.rank(0), 0);
  Shape out = context.shape(0);
  if (context.node().attributes.integer("keepdims", 1) != 0) {
    out[axis] = 1;
  } else {
    out.erase(out.begin() + axis);
  }
  context.set(0, DType::i64, out);
}

void relate_arg(Relations& relations) {
  const int64_t axis = axis_of(relations.graph(), relations.node(), relations.rank(0), 0);
  relate_pooled(relations, {axis}, relations.node().attributes.integer("keepdims", 1) != 0, false,
                PinKind::meaning, relations.node().op_type + " over it");
}

void infer_top_k(InferContext& context) {
  int64_t k = context.node().attributes.integer("k", 0);
  if (context.graph().opset >= 10) {
    const auto given = context.integers(1);
    if (!given) return;
    if (given->size() != 1) context.fail("'k' must be one number");
    k = given->front();
  }
  Shape out = context.shape(0);
  out[axis_of(context.graph(), context.node(), context.rank(0), -1)] = k;
  context.set(0, context.type(0).dtype, out);
  context.set(1, DType::i64, out);
}

void relate_top_k(Relations& relations) {
  const int64_t sorted = axis_of(relations.graph(), relations.node(), relations.rank(0), -1);
  relations.pin(relations.input(0, sorted), PinKind::meaning, "TopK over it");
  for (int o = 0; o < static_cast<int>(relations.node().outputs.size()); ++o) {
    if (relations.node().outputs[o] == kNoValue) continue;
    for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
      if (axis != sorted) relations.output(o, axis, relations.input(0, axis), false);
    }
  }
}

void relate_cum_sum(Relations& relations) {
  const Tensor* axis = relations.known(1);
  const int64_t rank = relations.rank(0);
  // A product of nothing is one.
  const bool zero = relations.node().op_type == std::string("CumSum") ||
                    relations.node().attributes.integer("exclusive", 0) == 0;
  for (int64_t i = 0; i < rank; ++i) {
    const bool summed =
        !axis || to_int64s(*axis).front() == i || to_int64s(*axis).front() == i - rank;
    if (summed)
      relations.pin(relations.input(0, i), PinKind::meaning, relations.node().op_type + " over it");
    relations.output(0, i, relations.input(0, i), zero && relations.zero_when_dead(0, i));
  }
}

void infer_range(InferContext& context) {
  for (int i = 0; i < 3; ++i) {
    if (!context.known(i)) return context.give_up();
  }
  const DType dtype = context.type(0).dtype;
  const auto number = [&](int i) {
    return scalar_of(context.graph(), context.node(), *context.known(i));
  };
  if (number(2) == 0) context.fail("a step of 0");
  const double count = std::ceil((number(1) - number(0)) / number(2));
  constexpr double kMost = 1e15;  // whole numbers up to here are exact
  if (!(count < kMost)) context.fail("gives more numbers than any memory holds");
  context.set(0, dtype, {count > 0 ? static_cast<int64_t>(count) : 0});
}

std::vector<Tensor> evaluate_range(const Graph& graph, const Node& node,
                                   std::span<const Tensor* const> inputs) {
  const double start = scalar_of(graph, node, *inputs[0]),
               limit = scalar_of(graph, node, *inputs[1]),
               step = scalar_of(graph, node, *inputs[2]);
  std::vector<double> numbers;
  const double count = std::ceil((limit - start) / step);
  for (int64_t i = 0; i < count; ++i) numbers.push_back(start + static_cast<double>(i) * step);
  const Shape shape{static_cast<int64_t>(numbers.size())};
  switch (inputs[0]->dtype()) {
    case DType::f32:
      return {Tensor::of<float>(shape, std::vector<float>(numbers.begin(), numbers.end()))};
    case DType::i32:
      return {Tensor::of<int32_t>(shape, std::vector<int32_t>(numbers.begin(), numbers.end()))};
    case DType::i64:
      return {Tensor::of<int64_t>(shape, std::vector<int64_t>(numbers.begin(), numbers.end()))};
    default:
      fail_input(where(graph, node) + ": inputs are " + name_of(inputs[0]->dtype()) +
                 "; only float32, int32 and int64 can be run");
  }
}

void relate_nothing(Relations&) {}

// data [D..., E...], indices [I..., depth], updates [I..., E...]: the first `depth` axes are
// picked.
void relate_scatter_nd(Relations& relations) {
  const int64_t depth = relations.input_shape(1).back();
  const int64_t listed = relations.rank(1) - 1;
  for (int64_t axis = 0; axis < listed; ++axis) {
    relations.pin(relations.input(2, axis), PinKind::meaning, "scattered to fixed places");
  }
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    bool zero = relations.zero_when_dead(0, axis);
    if (axis < depth) {
      relations.pin(relations.input(0, axis), PinKind::meaning, "scattered to fixed places");
    } else {
      const int64_t own = listed + axis - depth;
      relations.unify(relations.input(0, axis), relations.input(2, own), "updates of ScatterND");
      zero = zero && relations.zero_when_dead(2, own);
    }
    relations.output(0, axis, relations.input(0, axis), zero);
  }
}

void infer_scatter_nd(InferContext& context) {
  const Shape &data = context.shape(0), &indices = context.shape(1), &updates = context.shape(2);
  const int64_t depth = indices.empty() ? -1 : indices.back();
  if (depth < 0 || depth > context.rank(0)) {
    context.fail("indices " + to_string(indices) + " don't fit data " + to_string(data));
  }
  Shape expected(indices.begin(), indices.end() - 1);
  expected.insert(expected.end(), data.begin() + depth, data.end());
  if (updates != expected) {
    context.fail("updates have shape " + to_string(updates) + ", expected " + to_string(expected));
  }
  context.set(0, context.type(0).dtype, data);
}

std::vector<Tensor> evaluate_scatter_nd(const Graph& graph, const Node& node,
                                        std::span<const Tensor* const> inputs) {
  if (node.attributes.text("reduction", "none") != "none") {
    fail_input(where(graph, node) + ": 'reduction' can't be run");
  }
  Tensor result = *inputs[0];
  const Shape shape = result.shape();
  const std::vector<int64_t> places = to_int64s(*inputs[1]);
  const auto depth = static_cast<size_t>(inputs[1]->shape().back());
  const size_t rows = depth == 0 ? 1 : places.size() / depth;
  int64_t inner = 1;
  for (size_t axis = depth; axis < shape.size(); ++axis) inner *= shape[axis];
  const size_t bytes = static_cast<size_t>(inner) * size_of(result.dtype());
  std::byte* target = result.mutate_bytes().data();
  for (size_t row = 0; row < rows; ++row) {
    int64_t offset = 0;
    for (size_t axis = 0; axis < depth; ++axis) {
      int64_t index = places[row * depth + axis];
      if (index < 0) index += shape[axis];
      if (index < 0 || index >= shape[axis]) {
        fail_input(where(graph, node) + ": an index is out of range for axis " +
                   std::to_string(axis) + " of " + std::to_string(shape[axis]));
      }
      offset = offset * shape[axis] + index;
    }
    std::memcpy(target + static_cast<size_t>(offset) * bytes,
                inputs[2]->bytes().data() + row * bytes, bytes);
  }
  return {std::move(result)};
}

}  // namespace

double scalar_of(const Graph& graph, const Node& node, const Tensor& tensor) {
  if (tensor.size() != 1) fail_input(where(graph, node) + ": expected one number");
  if (tensor.dtype() == DType::f32) return tensor.as<float>()[0];
  if (tensor.dtype() == DType::f64) return tensor.as<double>()[0];
  return static_cast<double>(to_int64s(tensor)[0]);
}

extern const OpDef kArgMax{.type = "ArgMax",
                           .arity = {1, 1},
                           .reads = {Reads::data},
                           .infer = infer_arg,
                           .relate = relate_arg,
                           .passes_gradient = no_gradient};
extern const OpDef kArgMin{.type = "ArgMin",
                           .arity = {1, 1},
                           .reads = {Reads::data},
                           .infer = infer_arg,
                           .relate = relate_arg,
                           .passes_gradient = no_gradient};
extern const OpDef kTopK{.type = "TopK",
                         .arity = {1, 2, 1, 2},
                         .reads = {Reads::data, Reads::setting},
                         .infer = infer_top_k,
                         .relate = relate_top_k,
                         .passes_gradient = gradient_of_first};
extern const OpDef kCumSum{.type = "CumSum",
                           .arity = {2, 2},
                           .reads = {Reads::data, Reads::setting},
                           .infer = infer_same,
                           .relate = relate_cum_sum};
extern const OpDef kCumProd{.type = "CumProd",
                            .arity = {2, 2},
                            .reads = {Reads::data, Reads::setting},
                            .trains = false,
                            .infer = infer_same,
                            .relate = relate_cum_sum};
extern const OpDef kRange{.type = "Range",
                          .arity = {3, 3},
                          .reads = {Reads::setting},
                          .infer = infer_range,
                          .relate = relate_nothing,
                          .evaluate = evaluate_range};
extern const OpDef kScatterND{.type = "ScatterND",
                              .arity = {3, 3},
                              .reads = {Reads::data, Reads::setting, Reads::data},
                              .infer = infer_scatter_nd,
                              .relate = relate_scatter_nd,
                              .evaluate = evaluate_scatter_nd};

}  // namespace coppice
