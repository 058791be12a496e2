// Elementwise functions of several tensors under numpy broadcasting, which is LibTorch's, too.
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

using Binary = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

at::Tensor sum_of(const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); }

// Sum, Min and Max take any number of inputs, one included.
template <Binary function>
Step fold(const LowerContext& context) {
  return [inputs = context.node().inputs, y = context.out()](Values& values, Mode) {
    at::Tensor result = values[inputs[0]];
    for (size_t i = 1; i < inputs.size(); ++i) result = function(result, values[inputs[i]]);
    values[y] = inputs.size() == 1 ? at::alias(result) : result;
  };
}

// Which of two summands may be overwritten; -1 for neither.
int target_of(const LowerContext& context) {
  if (context.inputs() != 2) return -1;
  for (const int input : {0, 1}) {
    const bool fits = context.shape(input) == context.output_shape();
    if (fits && context.may_overwrite(input)) return input;
  }
  return -1;
}

}  // namespace

// No gradient asks for a summand, so a residual is added to what is there.
Step lower_sum(const LowerContext& context) {
  const int target = target_of(context);
  if (target < 0) return fold<sum_of>(context);
  return [sum = context.in(target), other = context.in(1 - target), y = context.out()](
             Values& values, Mode) {
    at::Tensor a = values[sum];
    const at::Tensor b = values[other];
    const bool overwrite = writable(a) && a.scalar_type() == b.scalar_type();
    values[y] = overwrite ? a.add_(b) : a.add(b);
  };
}

Step lower_min(const LowerContext& context) { return fold<at::minimum>(context); }
Step lower_max(const LowerContext& context) { return fold<at::maximum>(context); }

Step lower_sub(const LowerContext& context) {
  return of_two(context, [](const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); });
}

// Integers are divided towards zero.
Step lower_div(const LowerContext& context) {
  return of_two(context, [](const at::Tensor& a, const at::Tensor& b) {
    return at::isIntegralType(a.scalar_type(), false) ? at::div(a, b, "trunc") : at::div(a, b);
  });
}

// The remainder of integers has the sign of the divisor, or with 'fmod' that of the dividend, which
// is all that floats have.
Step lower_mod(const LowerContext& context) {
  return of_two(context, [fmod = context.attributes().integer("fmod", 0) != 0](
                             const at::Tensor& a, const at::Tensor& b) {
    return fmod || a.is_floating_point() ? at::fmod(a, b) : at::remainder(a, b);
  });
}

// The result has the base's type. One constant exponent is a number, for which LibTorch has faster
// kernels (squares, roots) and no gradient that would be NaN for a negative base.
Step lower_pow(const LowerContext& context) {
  const auto& exponent = context.graph().value(context.in(1)).constant;
  if (exponent && exponent->size() == 1 && context.rank(1) <= context.rank(0)) {
    const double p = number_of(context, *exponent, "the exponent");
    return of_one(context, [p](const at::Tensor& x) { return at::pow(x, p).to(x.scalar_type()); });
  }
  return of_two(context, [](const at::Tensor& a, const at::Tensor& b) {
    return at::pow(a, b).to(a.scalar_type());
  });
}

Step lower_prelu(const LowerContext& context) {
  // at::prelu knows slopes by channel only; here they broadcast like any operand.
  return of_two(context, [](const at::Tensor& x, const at::Tensor& slope) {
    return at::where(x < 0, x * slope, x);
  });
}

Step lower_where(const LowerContext& context) {
  return [inputs = context.node().inputs, y = context.out()](Values& values, Mode) {
    values[y] = at::where(values[inputs[0]], values[inputs[1]], values[inputs[2]]);
  };
}

}  // namespace coppice::train
