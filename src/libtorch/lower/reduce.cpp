// Reductions over axes, which are an attribute or (later opsets) an input.
//
// Without axes all are reduced, or none where 'noop_with_empty_axes' says so: then nothing is
// summed, but an element's norm is still its magnitude. LibTorch gives sums of integers a wider
// type unless it is told theirs.
#include <numeric>

#include "graph/ops/ops.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

using Reduce = at::Tensor (*)(const at::Tensor& x, const std::vector<int64_t>& axes, bool keep);
using Each = at::Tensor (*)(const at::Tensor& x);

// LibTorch takes an empty list of axes for all of them, so that case is `each`.
Step reduce(const LowerContext& context, Reduce function, Each each) {
  const Attributes& attributes = context.attributes();
  std::vector<int64_t> all(context.rank(0));
  std::iota(all.begin(), all.end(), 0);
  if (attributes.integer("noop_with_empty_axes", 0) != 0) all.clear();
  const std::vector<int64_t> axes =
      *axes_of(context.graph(), context.node(), context.known(1), context.rank(0), all);
  if (axes.empty()) return of_one(context, each);
  const bool keep = attributes.integer("keepdims", 1) != 0;
  return of_one(context, [=](const at::Tensor& x) { return function(x, axes, keep); });
}

at::Tensor itself(const at::Tensor& x) { return at::alias(x); }
at::Tensor squared(const at::Tensor& x) { return x * x; }

at::Tensor sum_of(const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
  return at::sum(x, axes, keep, x.scalar_type());
}

}  // namespace

Step lower_reduce_mean(const LowerContext& context) {
  const Reduce mean = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    return at::mean(x, axes, keep);
  };
  return reduce(context, mean, itself);
}

Step lower_reduce_sum(const LowerContext& context) { return reduce(context, sum_of, itself); }

Step lower_reduce_sum_square(const LowerContext& context) {
  const Reduce squares = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    return sum_of(squared(x), axes, keep);
  };
  return reduce(context, squares, squared);
}

Step lower_reduce_log_sum(const LowerContext& context) {
  const Reduce log_sum = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    return at::log(sum_of(x, axes, keep));
  };
  return reduce(context, log_sum, at::log);
}

Step lower_reduce_log_sum_exp(const LowerContext& context) {
  const Reduce log_sum_exp = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    return at::logsumexp(x, axes, keep);
  };
  return reduce(context, log_sum_exp, itself);
}

// One axis at a time, the last first, so that those before it keep their place.
Step lower_reduce_prod(const LowerContext& context) {
  const Reduce product = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    at::Tensor result = x;
    for (size_t i = axes.size(); i-- > 0;) {
      result = at::prod(result, axes[i], keep, x.scalar_type());
    }
    return result;
  };
  return reduce(context, product, itself);
}

Step lower_reduce_max(const LowerContext& context) {
  const Reduce max = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    return at::amax(x, axes, keep);
  };
  return reduce(context, max, itself);
}

Step lower_reduce_min(const LowerContext& context) {
  const Reduce min = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    return at::amin(x, axes, keep);
  };
  return reduce(context, min, itself);
}

Step lower_reduce_l1(const LowerContext& context) {
  const Reduce l1 = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    return sum_of(at::abs(x), axes, keep);
  };
  return reduce(context, l1, at::abs);
}

// at::norm's gradient at zero is zero, where that of a root of squares would be NaN.
Step lower_reduce_l2(const LowerContext& context) {
  const Reduce l2 = [](const at::Tensor& x, const std::vector<int64_t>& axes, bool keep) {
    return at::norm(x, at::Scalar(2), axes, keep);
  };
  return reduce(context, l2, at::abs);
}

}  // namespace coppice::train
