// QuantizeLinear and DequantizeLinear: y = (x - zero_point) * scale and back, with one scale for
// all or one for each index of an axis.
//
// A quantised weight is a constant behind DequantizeLinear and carries labels like any other.
// Masked it is its zero point (groups/cut/surgery.h). Of codes, "zero when dead" says that they
// stand for zero.

#include "core/error.h"
#include "graph/ops/codes.h"
#include "graph/ops/ops.h"
#include "graph/views/quantised.h"

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

// Where the scale and zero point of each element lie among theirs.
struct Grid {
  const Tensor* scale;
  std::vector<int64_t> zeros = {};         // empty: all are zero
  int64_t outer = 1, size = 1, inner = 1;  // elements before, along and behind the axis
  int64_t block = 1;                       // indices of the axis that share one
  bool blocked = false;  // each block has one for every element before and behind, too

  // Calls `visit` with the number of each element, its scale and its zero point.
  template <typename Visit>
  void for_each(Visit visit) const {
    const std::span<const float> scales = scale->as<float>();
    const int64_t blocks = (size + block - 1) / block;
    int64_t element = 0;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t a = 0; a < size; ++a) {
        const int64_t row = blocked ? (o * blocks + a / block) * inner : a;
        for (int64_t i = 0; i < inner; ++i) {
          const int64_t place = scales.size() == 1 ? 0 : blocked ? row + i : row;
          visit(element++, static_cast<double>(scales[place]),
                zeros.empty() ? 0.0 : static_cast<double>(zeros[zeros.size() == 1 ? 0 : place]));
        }
      }
    }
  }
};

Grid grid_of(const Graph& graph, const Node& node, std::span<const Tensor* const> inputs) {
  const Shape& x = inputs[0]->shape();
  Grid grid{.scale = inputs[1]};
  if (inputs.size() > 2 && inputs[2]) grid.zeros = to_int64s(*inputs[2]);
  if (grid.scale->dtype() != DType::f32) {
    fail_input(where(graph, node) + ": scales are " + name_of(grid.scale->dtype()) +
               ", only float32 can be run");
  }
  const Shape& scales = grid.scale->shape();
  grid.blocked = scales.size() > 1;
  if (!grid.blocked && !per_axis(scales)) {
    grid.inner = inputs[0]->size();
    return grid;
  }
  const int64_t axis = axis_of(graph, node, inputs[0]->rank());
  grid.outer = element_count({x.begin(), x.begin() + axis});
  grid.size = x[axis];
  grid.inner = element_count({x.begin() + axis + 1, x.end()});
  if (grid.blocked) {
    const int64_t blocks = scales.size() == x.size() ? scales[axis] : 0;
    grid.block = node.attributes.integer("block_size", 0);
    const bool fits = grid.block > 0 && blocks == (grid.size + grid.block - 1) / grid.block &&
                      grid.scale->size() == grid.outer * blocks * grid.inner;
    if (!fits) {
      fail_input(where(graph, node) + ": scales of shape " + to_string(scales) +
                 " aren't by blocks of axis " + std::to_string(axis) + " of " + to_string(x));
    }
  }
  return grid;
}

std::vector<Tensor> evaluate_dequantize(const Graph& graph, const Node& node,
                                        std::span<const Tensor* const> inputs) {
  const Grid grid = grid_of(graph, node, inputs);
  Tensor result = Tensor::zeros(DType::f32, inputs[0]->shape());
  const auto out = result.mutate<float>();
  with_codes(*inputs[0], [&](auto codes) {
    grid.for_each([&](int64_t i, double scale, double zero) {
      out[i] = static_cast<float>((static_cast<double>(codes[i]) - zero) * scale);
    });
  });
  return {std::move(result)};
}

template <typename T>
Tensor quantised(const Tensor& x, const Grid& grid) {
  Tensor result = Tensor::zeros(dtype_of<T>, x.shape());
  const auto out = result.mutate<T>();
  const std::span<const float> numbers = x.as<float>();
  grid.for_each(
      [&](int64_t i, double scale, double zero) { out[i] = code_of<T>(numbers[i], scale, zero); });
  return result;
}

std::vector<Tensor> evaluate_quantize(const Graph& graph, const Node& node,
                                      std::span<const Tensor* const> inputs) {
  const Grid grid = grid_of(graph, node, inputs);
  const DType to = inputs.size() > 2 && inputs[2] ? inputs[2]->dtype() : DType::u8;
  if (inputs[0]->dtype() == DType::f32 && to == DType::u8) {
    return {quantised<uint8_t>(*inputs[0], grid)};
  }
  if (inputs[0]->dtype() == DType::f32 && to == DType::i8) {
    return {quantised<int8_t>(*inputs[0], grid)};
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
