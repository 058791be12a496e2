// Constant, Shape, Size and ConstantOfShape: where shape arithmetic begins.

#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

// The tensor of a Constant node lives in its output value (see onnx/read.cpp), whose type is known
// before inference starts; the other kinds of constant become known here.
void infer_constant(InferContext& context) {
  const Attributes& attributes = context.node().attributes;
  const Graph& graph = context.graph();
  if (graph.value(context.node().outputs[0]).constant) return;
  if (const auto ints = attributes.integers("value_ints")) {
    return context.set_known(0, Tensor::vector(*ints));
  }
  if (attributes.has("value_int")) {
    const std::vector<int64_t> one{attributes.integer("value_int", 0)};
    return context.set_known(0, Tensor::of<int64_t>({}, one));
  }
  if (attributes.has("value_float")) {
    return context.set_known(0, Tensor::scalar(attributes.real("value_float", 0)));
  }
  if (const auto floats = attributes.reals("value_floats")) {
    return context.set_known(0, Tensor::of<float>({static_cast<int64_t>(floats->size())}, *floats));
  }
  context.give_up();
}

void infer_shape(InferContext& context) {
  const int64_t rank = context.rank(0);
  const auto bound = [&](const char* name, int64_t otherwise) {
    const int64_t given = context.node().attributes.integer(name, otherwise);
    return std::clamp<int64_t>(given < 0 ? given + rank : given, 0, rank);
  };
  const int64_t start = bound("start", 0), end = std::max(start, bound("end", rank));
  const Shape& shape = context.shape(0);
  context.set_known(0, Tensor::vector({shape.begin() + start, shape.begin() + end}));
}

void infer_size(InferContext& context) {
  const std::vector<int64_t> count{element_count(context.shape(0))};
  context.set_known(0, Tensor::of<int64_t>({}, count));
}

void infer_constant_of_shape(InferContext& context) {
  const auto sizes = context.integers(0);
  if (!sizes) return;
  const Tensor* value = context.node().attributes.tensor("value");
  context.set(0, value ? value->dtype() : DType::f32, *sizes);
}

std::vector<Tensor> evaluate_constant_of_shape(const Graph& graph, const Node& node,
                                               std::span<const Tensor* const> inputs) {
  const Tensor* value = node.attributes.tensor("value");
  Tensor result = Tensor::zeros(value ? value->dtype() : DType::f32, to_int64s(*inputs[0]));
  if (!value) return {std::move(result)};
  const size_t width = size_of(value->dtype());
  if (value->size() != 1 || width == 0) {
    fail_input(where(graph, node) + ": 'value' must hold one number");
  }
  std::byte* target = result.mutate_bytes().data();
  for (int64_t i = 0; i < result.size(); ++i) {
    std::copy_n(value->bytes().data(), width, target + i * static_cast<int64_t>(width));
  }
  return {std::move(result)};
}

// Float fillings (initial states, masks) may shrink like any constant; integers are arithmetic.
void relate_constant_of_shape(Relations& relations) {
  const Tensor* value = relations.node().attributes.tensor("value");
  if (value && !is_floating(value->dtype())) return;
  for (size_t axis = 0; axis < relations.output_shape(0).size(); ++axis) {
    const int64_t size = relations.output_shape(0)[axis];
    if (size > 1) relations.output(0, static_cast<int64_t>(axis), relations.fresh(size), !value);
  }
}

void repair_constant_of_shape(RepairContext& context) {
  if (context.old_output(0) != context.new_output(0)) context.want(0, context.new_output(0));
}

void relate_nothing(Relations&) {}

}  // namespace

extern const OpDef kConstant{.type = "Constant",
                             .arity = {0, 0},
                             .reads = {},
                             .infer = infer_constant,
                             .relate = relate_nothing};
extern const OpDef kShape{.type = "Shape",
                          .arity = {1, 1},
                          .reads = {Reads::shape},
                          .infer = infer_shape,
                          .relate = relate_nothing,
                          .passes_gradient = no_gradient};
extern const OpDef kSize{.type = "Size",
                         .arity = {1, 1},
                         .reads = {Reads::shape},
                         .infer = infer_size,
                         .relate = relate_nothing,
                         .passes_gradient = no_gradient};
extern const OpDef kConstantOfShape{.type = "ConstantOfShape",
                                    .arity = {1, 1},
                                    .reads = {Reads::setting},
                                    .infer = infer_constant_of_shape,
                                    .relate = relate_constant_of_shape,
                                    .repair = repair_constant_of_shape,
                                    .evaluate = evaluate_constant_of_shape};

}  // namespace coppice
