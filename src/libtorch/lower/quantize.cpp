// QuantizeLinear and DequantizeLinear, with one scale for all or one for each index of an axis.
//
// Rounding has no gradient of use, so it passes as if it weren't there (the straight-through
// estimator): whatever isn't clipped gets the gradient of its code. The scale, by which the codes
// are divided and multiplied again, gets what follows from that. Codes that a gradient comes back
// for stay floats, which hold them exactly; all others have the type that the graph says.
//
// Source: Bengio, Leonard, Courville, Estimating or Propagating Gradients Through Stochastic
// Neurons for Conditional Computation, 2013, arXiv:1308.3432.
// Differs: no gradient where the code is clipped.
#include <ATen/core/grad_mode.h>

#include "graph/op.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

// The shape in which scales or zero points meet the data.
Shape along_axis(const LowerContext& context, int input) {
  const Shape& given = context.shape(input);
  if (given.size() > 1) context.fail("its scales are in blocks, expected one or one an index");
  Shape along(context.rank(0), 1);
  if (element_count(given) == 1) return along;
  along[resolve_axis(context.graph(), context.node(), context.attributes().integer("axis", 1),
                     context.rank(0))] = given[0];
  return along;
}

// Scale and zero point of each element; codes are floats of the scale's type.
class Grid {
 public:
  explicit Grid(const LowerContext& context)
      : scale_id_(context.in(1)), scale_shape_(along_axis(context, 1)) {
    if (!context.has(2)) return;
    zero_id_ = context.in(2);
    zero_shape_ = along_axis(context, 2);
  }

  at::Tensor scale(const Values& values) const { return values[scale_id_].reshape(scale_shape_); }
  // Undefined for zero.
  at::Tensor zero(const Values& values) const {
    if (zero_id_ == kNoValue) return {};
    return values[zero_id_].to(values[scale_id_].scalar_type()).reshape(zero_shape_);
  }

 private:
  ValueId scale_id_, zero_id_ = kNoValue;
  Shape scale_shape_, zero_shape_;
};

}  // namespace

Step lower_quantize(const LowerContext& context) {
  const DType to = context.has(2) ? context.dtype(2) : DType::u8;
  if (to != DType::u8 && to != DType::i8) {
    context.fail("it makes " + name_of(to) + ", only uint8 and int8 can be trained");
  }
  const bool has_sign = to == DType::i8;
  return [grid = Grid(context), low = has_sign ? -128 : 0, high = has_sign ? 127 : 255,
          type = has_sign ? at::kChar : at::kByte, x = context.in(0),
          y = context.out()](Values& values, Mode) {
    const at::Tensor exact = values[x] / grid.scale(values), zero = grid.zero(values);
    // Exactly round(exact): the difference of a number and its rounding has no rounding itself.
    at::Tensor code = exact + (at::round(exact) - exact).detach();
    if (zero.defined()) code = code + zero;
    code = at::clamp(code, low, high);
    const bool tracked = code.requires_grad() && at::GradMode::is_enabled();
    values[y] = tracked ? code : code.to(type);
  };
}

Step lower_dequantize(const LowerContext& context) {
  return [grid = Grid(context), x = context.in(0), y = context.out()](Values& values, Mode) {
    const at::Tensor scale = grid.scale(values), zero = grid.zero(values);
    const at::Tensor code = values[x].to(scale.scalar_type());
    values[y] = (zero.defined() ? code - zero : code) * scale;
  };
}

}  // namespace coppice::train
