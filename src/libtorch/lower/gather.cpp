// Gather: picks along an axis by index; negative ones count from the end.
//
// One known index is a view. Any others are picked by the tensor of indices, which the program
// holds on its device, so that nothing is copied there step by step.
#include <algorithm>

#include "core/error.h"
#include "graph/op.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {

Step lower_gather(const LowerContext& context) {
  const int64_t axis = resolve_axis(context.graph(), context.node(),
                                    context.attributes().integer("axis", 0), context.rank(0));
  const int64_t size = context.shape(0)[axis];
  const auto& constant = context.graph().value(context.in(1)).constant;
  if (constant && constant->rank() == 0) {
    return of_one(context, [axis, index = to_int64s(*constant)[0]](const at::Tensor& data) {
      return at::select(data, axis, index);
    });
  }
  const bool counts_up =
      constant && std::ranges::none_of(to_int64s(*constant), [](int64_t i) { return i < 0; });
  return of_two(context, [axis, size, counts_up, shape = context.output_shape()](
                             const at::Tensor& data, const at::Tensor& given) {
    at::Tensor indices = given.reshape({-1}).to(at::kLong);
    if (!counts_up) indices = at::where(indices < 0, indices + size, indices);
    return at::index_select(data, axis, indices).reshape(shape);
  });
}

}  // namespace coppice::train
