// QuantizeLinear and DequantizeLinear: y = (x - zero_point) * scale and back, with one scale for
// all or one for each index of an axis.
//
// A quantised weight is a constant behind DequantizeLinear and carries labels like any other.
// Masked it is its zero point (groups/cut/surgery.h). Of codes, "zero when dead" says that they
// stand for zero.

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

bool per_axis(const Shape& scale) { return scale.size() == 1 && scale[0] > 1; }

int64_t axis_of(const Graph& graph, const Node& node, int64_t rank) {
  return resolve_axis(graph, node, node.attributes.integer("axis", 1), rank);
}

void require_scale(InferContext& context) {
  const Shape& scale = context.shape(1);
  if (scale.size() > 1) return;  // blocks of an axis
  if (!per_axis(scale)) return;
  const int64_t axis = axis_of(context.graph(), context.node(), context.rank(0));
  if (scale[0] == context.shape(0)[axis]) return;
  context.fail("has " + std::to_string(scale[0]) + " scales, expected one for each of " +
               std::to_string(context.shape(0)[axis]) + " on axis " + std::to_string(axis));
}

void infer_quantize(InferContext& context) {
  context.set(0, context.has(2) ? context.type(2).dtype : DType::u8, context.shape(0));
  require_scale(context);
}

void infer_dequantize(InferContext& context) {
  context.set(0, context.type(1).dtype, context.shape(0));
  require_scale(context);
}

void relate_scaled(Relations& relations, bool divides) {
  if (relations.rank(1) > 1) {
    for (int input = 0; input < relations.inputs(); ++input) {
      pin_input(relations, input, PinKind::unknown, "scales by blocks of an axis");
    }
    return;
  }
  const int64_t rank = relations.rank(0);
  const bool vector = per_axis(relations.input_shape(1));
  const int64_t scaled = vector ? axis_of(relations.graph(), relations.node(), rank) : int64_t{-1};
  for (int64_t axis = 0; axis < rank; ++axis) {
    bool zero = relations.zero_when_dead(0, axis);
    if (axis == scaled) {
      const std::string& why = relations.node().op_type;
      relations.unify(relations.input(0, axis), relations.input(1, 0), why);
      if (divides) relations.role(1, 0, Role::divisor);
      if (relations.has_input(2) && per_axis(relations.input_shape(2))) {
        relations.unify(relations.input(0, axis), relations.input(2, 0), why);
      }
      zero = zero || (!divides && relations.zero_when_dead(1, 0));
    }
    relations.output(0, axis, relations.input(0, axis), zero);
  }
}

void relate_quantize(Relations& relations) { relate_scaled(relations, true); }
void relate_dequantize(Relations& relations) { relate_scaled(relations, false); }

// Scale and zero point of each element.
struct Grid {
  const Tensor *scale, *zero;
  int64_t size, inner;

  int64_t place(int64_t element) const { return scale->size() == 1 ? 0 : element / inner % size; }
  double scale_at(int64_t element) const { return scale->as<float>()[place(element)]; }
  double zero_at(const std::vector<int64_t>& zeros, int64_t element) const {
    return zeros.empty() ? 0 : static_cast<double>(zeros[zeros.size() == 1 ? 0 : place(element)]);
  }
};

Grid grid_of(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
  const Tensor& x = *inputs[0];
  Grid grid{inputs[1], inputs.size() > 2 ? inputs[2] : nullptr, 1, 1};
  if (grid.scale->dtype() != DType::f32) {
    fail_input(where(graph, node) + ": scales are " + name_of(grid.scale->dtype()) +
               ", only float32 can be run");
  }
  if (per_axis(grid.scale->shape())) {
    const int64_t axis = axis_of(graph, node, x.rank());
    grid.size = x.shape()[axis];
    grid.inner = element_count({x.shape().begin() + axis + 1, x.shape().end()});
  }
  return grid;
}

std::vector<Tensor> evaluate_dequantize(const Graph& graph, const Node& node,
                                        std::span<const Tensor* const> inputs) {
  const Grid grid = grid_of(graph, node, inputs);
  const std::vector<int64_t> codes = to_int64s(*inputs[0]);
  const std::vector<int64_t> zeros = grid.zero ? to_int64s(*grid.zero) : std::vector<int64_t>{};
  Tensor result = Tensor::zeros(DType::f32, inputs[0]->shape());
  const auto out = result.mutate<float>();
  for (int64_t i = 0; i < result.size(); ++i) {
    const double code = static_cast<double>(codes[i]) - grid.zero_at(zeros, i);
    out[i] = static_cast<float>(code * grid.scale_at(i));
  }
  return {std::move(result)};
}

template <typename T>
Tensor quantised(const Tensor& x, const Grid& grid, const std::vector<int64_t>& zeros) {
  Tensor result = Tensor::zeros(dtype_of<T>, x.shape());
  const auto out = result.mutate<T>();
  for (int64_t i = 0; i < x.size(); ++i) {
    const double code =
        std::nearbyint(x.as<float>()[i] / grid.scale_at(i)) + grid.zero_at(zeros, i);
    out[i] = static_cast<T>(
        std::clamp<double>(code, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
  return result;
}

std::vector<Tensor> evaluate_quantize(const Graph& graph, const Node& node,
                                      std::span<const Tensor* const> inputs) {
  const Grid grid = grid_of(graph, node, inputs);
  const std::vector<int64_t> zeros = grid.zero ? to_int64s(*grid.zero) : std::vector<int64_t>{};
  const DType to = grid.zero ? grid.zero->dtype() : DType::u8;
  if (inputs[0]->dtype() == DType::f32 && to == DType::u8) {
    return {quantised<uint8_t>(*inputs[0], grid, zeros)};
  }
  if (inputs[0]->dtype() == DType::f32 && to == DType::i8) {
    return {quantised<int8_t>(*inputs[0], grid, zeros)};
  }
  fail_input(where(graph, node) + ": can't run from " + name_of(inputs[0]->dtype()) + " to " +
             name_of(to));
}

}  // namespace

extern const OpDef kQuantizeLinear{.type = "QuantizeLinear",
                                   .arity = {2, 3},
                                   .reads = {Reads::data, Reads::step, Reads::zero_point},
                                   .infer = infer_quantize,
                                   .relate = relate_quantize,
                                   .evaluate = evaluate_quantize};
extern const OpDef kDequantizeLinear{.type = "DequantizeLinear",
                                     .arity = {2, 3},
                                     .reads = {Reads::code, Reads::step, Reads::zero_point},
                                     .infer = infer_dequantize,
                                     .relate = relate_dequantize,
                                     .evaluate = evaluate_dequantize};

}  // namespace coppice
