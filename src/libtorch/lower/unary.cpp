// Elementwise functions of one tensor that have attributes of their own, or that may write over
// their input; all others are LibTorch's functions, named in table.cpp.
//
// Only functions whose gradient is computed from their output may overwrite their input.
#include <cmath>
#include <limits>

#include "libtorch/lower/lowerings.h"

namespace coppice::train {

Step lower_relu(const LowerContext& context) {
  return [overwrite = context.may_overwrite(0), x = context.in(0), y = context.out()](
             Values& values, Mode) {
    values[y] = overwrite && writable(values[x]) ? values[x].relu_() : values[x].relu();
  };
}

Step lower_leaky_relu(const LowerContext& context) {
  const double slope = context.attributes().real("alpha", 0.01f);
  return of_one(context, [slope](const at::Tensor& x) { return at::leaky_relu(x, slope); });
}

Step lower_elu(const LowerContext& context) {
  const double alpha = context.attributes().real("alpha", 1);
  return of_one(context, [alpha](const at::Tensor& x) { return at::elu(x, alpha); });
}

Step lower_celu(const LowerContext& context) {
  const double alpha = context.attributes().real("alpha", 1);
  if (alpha == 0) context.fail("'alpha' is 0, by which it divides");
  return of_one(context, [alpha](const at::Tensor& x) { return at::celu(x, alpha); });
}

Step lower_selu(const LowerContext& context) {
  const double alpha = context.attributes().real("alpha", 1.67326319f);
  const double gamma = context.attributes().real("gamma", 1.05070102f);
  return of_one(context, [=](const at::Tensor& x) { return at::elu(x, alpha, gamma); });
}

Step lower_thresholded_relu(const LowerContext& context) {
  const double alpha = context.attributes().real("alpha", 1);
  return of_one(context, [alpha](const at::Tensor& x) { return at::threshold(x, alpha, 0); });
}

Step lower_gelu(const LowerContext& context) {
  const std::string approximate = context.attributes().text("approximate", "none");
  if (approximate != "none" && approximate != "tanh") {
    context.fail("'approximate' is '" + approximate + "', expected 'none' or 'tanh'");
  }
  return of_one(context, [approximate](const at::Tensor& x) { return at::gelu(x, approximate); });
}

Step lower_hard_sigmoid(const LowerContext& context) {
  const double alpha = context.attributes().real("alpha", 0.2f);
  const double beta = context.attributes().real("beta", 0.5f);
  return of_one(context, [=](const at::Tensor& x) { return (x * alpha + beta).clamp(0, 1); });
}

Step lower_softplus(const LowerContext& context) {
  return of_one(context, [](const at::Tensor& x) { return at::softplus(x); });
}

Step lower_softsign(const LowerContext& context) {
  return of_one(context, [](const at::Tensor& x) { return x / (x.abs() + 1); });
}

// Bounds are attributes before opset 11, inputs after it. Two finite bounds are a hardtanh, whose
// gradient needs the output alone; clamp_ would keep a copy of its input.
Step lower_clip(const LowerContext& context) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto bound = [&](const char* name, int input, double otherwise) {
    const Tensor* given = context.known(input);
    if (given) return number_of(context, *given, std::string("bound '") + name + "'");
    return static_cast<double>(context.attributes().real(name, static_cast<float>(otherwise)));
  };
  const double low = bound("min", 1, -kInfinity), high = bound("max", 2, kInfinity);
  const bool both = std::isfinite(low) && std::isfinite(high) && low <= high;
  const bool overwrite = context.may_overwrite(0) && both;
  return [=, x = context.in(0), y = context.out()](Values& values, Mode) {
    if (!both || !values[x].is_floating_point()) {
      values[y] = at::clamp(values[x], low, high);
    } else if (overwrite && writable(values[x])) {
      values[y] = at::hardtanh_(values[x], low, high);
    } else {
      values[y] = at::hardtanh(values[x], low, high);
    }
  };
}

}  // namespace coppice::train
