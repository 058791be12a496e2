// Normalisations by statistics of the data itself: there are no running ones, so training and
// evaluation compute the same.
//
// LibTorch's layer_norm and group_norm do most of it; InstanceNormalization is a group a channel.
#include "graph/ops/ops.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

double epsilon_of(const LowerContext& context) {
  return context.attributes().real("epsilon", 1e-5f);
}

// The last axes, those that LayerNormalization and RMSNormalization normalise over.
std::vector<int64_t> last_axes(const LowerContext& context) {
  const int64_t first = resolve_axis(context.graph(), context.node(),
                                     context.attributes().integer("axis", -1), context.rank(0));
  std::vector<int64_t> axes;
  for (int64_t axis = first; axis < context.rank(0); ++axis) axes.push_back(axis);
  return axes;
}

// x over the root of its mean square
at::Tensor over_root_mean_square(const at::Tensor& x, const std::vector<int64_t>& axes,
                                 double epsilon) {
  return x * at::rsqrt(at::mean(x * x, axes, true) + epsilon);
}

// Scale and shift, where there are any, must not vary over axes that aren't normalised.
void require_inner(const LowerContext& context, const Shape& inner) {
  for (int i = 1; i <= 2; ++i) {
    if (!context.has(i) || broadcast(context.shape(i), inner) == inner) continue;
    context.fail("input " + std::to_string(i) + " has shape " + to_string(context.shape(i)) +
                 ", expected one that broadcasts to the normalised " + to_string(inner));
  }
}

ValueId optional_output(const LowerContext& context, size_t output) {
  const std::vector<ValueId>& outputs = context.node().outputs;
  return output < outputs.size() ? outputs[output] : kNoValue;
}

// `groups` runs of channels; `each`: channels that share a scale and a shift.
Step normalise_groups(const LowerContext& context, int64_t groups, int64_t each) {
  return [groups, each, epsilon = epsilon_of(context), inputs = context.node().inputs,
          y = context.out()](Values& values, Mode) {
    const auto by_channel = [each](const at::Tensor& parameter) {
      return parameter.unsqueeze(1).expand({-1, each}).reshape({-1});
    };
    values[y] = at::group_norm(values[inputs[0]], groups, by_channel(values[inputs[1]]),
                               by_channel(values[inputs[2]]), epsilon);
  };
}

}  // namespace

// The other outputs, mean and inverse deviation, get steps of their own: no gradient passes through
// those that LibTorch's kernel gives.
Step lower_layer_norm(const LowerContext& context) {
  const std::vector<int64_t> axes = last_axes(context);
  const Shape inner(context.shape(0).begin() + axes.front(), context.shape(0).end());
  require_inner(context, inner);
  return [axes, inner, epsilon = epsilon_of(context), x = context.in(0), scale = context.in(1),
          shift = context.has(2) ? context.in(2) : kNoValue, y = context.out(),
          mean = optional_output(context, 1),
          deviation = optional_output(context, 2)](Values& values, Mode) {
    const auto whole = [&](ValueId id) {
      return id == kNoValue ? at::Tensor() : values[id].expand(inner);
    };
    values[y] = at::layer_norm(values[x], inner, whole(scale), whole(shift), epsilon);
    if (mean != kNoValue) values[mean] = at::mean(values[x], axes, true);
    if (deviation == kNoValue) return;
    values[deviation] = at::rsqrt(at::var(values[x], axes, /*unbiased=*/false, true) + epsilon);
  };
}

Step lower_rms_norm(const LowerContext& context) {
  const std::vector<int64_t> axes = last_axes(context);
  require_inner(context, {context.shape(0).begin() + axes.front(), context.shape(0).end()});
  return of_two(
      context, [axes, epsilon = epsilon_of(context)](const at::Tensor& x, const at::Tensor& scale) {
        return over_root_mean_square(x, axes, epsilon) * scale;
      });
}

Step lower_instance_norm(const LowerContext& context) {
  return normalise_groups(context, context.shape(0)[1], 1);
}

// Scale and shift are one a group before opset 21, one a channel from then on.
Step lower_group_norm(const LowerContext& context) {
  const int64_t groups = context.attributes().integer("num_groups", 1);
  const int64_t given = context.shape(1)[0];
  return normalise_groups(context, groups, context.shape(0)[1] / given);
}

Step lower_mean_variance_norm(const LowerContext& context) {
  const std::vector<int64_t> axes =
      *axes_of(context.graph(), context.node(), nullptr, context.rank(0), {0, 2, 3});
  if (axes.back() >= context.rank(0)) {
    context.fail("input has rank " + std::to_string(context.rank(0)) +
                 ", expected 4 where 'axes' isn't given");
  }
  constexpr double kEpsilon = 1e-9;  // the operator's own
  return of_one(context, [axes](const at::Tensor& x) {
    return over_root_mean_square(x - at::mean(x, axes, true), axes, kEpsilon);
  });
}

// A line of zeros stays one.
Step lower_lp_norm(const LowerContext& context) {
  const int64_t axis = resolve_axis(context.graph(), context.node(),
                                    context.attributes().integer("axis", -1), context.rank(0));
  const int64_t p = context.attributes().integer("p", 2);
  if (p != 1 && p != 2) context.fail("'p' is " + std::to_string(p) + ", expected 1 or 2");
  return of_one(context, [axis, p](const at::Tensor& x) {
    const at::Tensor norm = at::norm(x, at::Scalar(p), std::vector<int64_t>{axis}, true);
    return x / at::where(norm == 0, at::ones_like(norm), norm);
  });
}

// x / (bias + alpha / size * sum of squares of the neighbouring channels) ^ beta
Step lower_lrn(const LowerContext& context) {
  const Attributes& attributes = context.attributes();
  const int64_t size = attributes.integer("size", 1), channels = context.shape(0)[1];
  if (size < 1) context.fail("'size' is " + std::to_string(size) + ", expected 1 or more");
  std::vector<int64_t> before(context.rank(0), 0), after = before;
  before[1] = (size - 1) / 2;
  after[1] = size / 2;
  return of_one(
      context,
      [size, channels, pads = last_axis_first(before, after),
       share = static_cast<double>(attributes.real("alpha", 1e-4f)) / static_cast<double>(size),
       beta = static_cast<double>(attributes.real("beta", 0.75f)),
       bias = static_cast<double>(attributes.real("bias", 1))](const at::Tensor& x) {
        const at::Tensor squares = at::constant_pad_nd(x * x, pads, 0);
        at::Tensor sum = at::narrow(squares, 1, 0, channels);
        for (int64_t i = 1; i < size; ++i) sum = sum + at::narrow(squares, 1, i, channels);
        return x * at::pow(sum * share + bias, -beta);
      });
}

}  // namespace coppice::train
