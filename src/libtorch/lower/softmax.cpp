// Softmax and LogSoftmax. Before opset 13 the input is seen as a matrix, cut before `axis`, and
// whole rows are normalised; since then one axis is.
#include "graph/op.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

using Normalise = at::Tensor (*)(const at::Tensor& x, int64_t axis);

Step normalise(const LowerContext& context, Normalise function) {
  const bool rows = context.graph().opset < 13;
  const int64_t axis =
      resolve_axis(context.graph(), context.node(),
                   context.attributes().integer("axis", rows ? 1 : -1), context.rank(0));
  if (!rows || axis + 1 == context.rank(0)) {
    return of_one(context, [=](const at::Tensor& x) { return function(x, axis); });
  }
  return of_one(context, [=, shape = context.shape(0)](const at::Tensor& x) {
    return function(x.flatten(axis), axis).reshape(shape);
  });
}

}  // namespace

Step lower_softmax(const LowerContext& context) {
  return normalise(context, [](const at::Tensor& x, int64_t axis) { return at::softmax(x, axis); });
}

Step lower_log_softmax(const LowerContext& context) {
  return normalise(context,
                   [](const at::Tensor& x, int64_t axis) { return at::log_softmax(x, axis); });
}

}  // namespace coppice::train
