// Reshape, Flatten, Squeeze, Unsqueeze, Transpose and Identity: the same elements seen another way.
//
// Shapes are bound, so whatever says the new shape (axes, 0, -1), inference has resolved it.
#include <algorithm>
#include <numeric>

#include "libtorch/lower/lowerings.h"

namespace coppice::train {

Step lower_reshape(const LowerContext& context) {
  return of_one(context, [shape = context.output_shape()](const at::Tensor& x) {
    return at::reshape(x, shape);
  });
}

Step lower_transpose(const LowerContext& context) {
  std::vector<int64_t> order(context.rank(0));
  std::iota(order.rbegin(), order.rend(), 0);
  if (const auto given = context.attributes().integers("perm")) order = *given;
  return of_one(context, [order](const at::Tensor& x) { return at::permute(x, order); });
}

}  // namespace coppice::train
