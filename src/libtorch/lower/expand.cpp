// Expand and Tile, which repeat along axes; DepthToSpace and SpaceToDepth, which move blocks of
// pixels to channels and back:
//
//   DepthToSpace DCR   C = (r, r, c)   ->  c, H * r, W * r
//                CRD   C = (c, r, r)
//   SpaceToDepth       H = (h, r), W = (w, r)  ->  C' = (r, r, C), h, w
#include "graph/op.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

// The elements seen in the shape `apart`, its axes in another order, and together as the output.
Step regroup(const LowerContext& context, const Shape& apart, const std::vector<int64_t>& order) {
  return of_one(context, [apart, order, to = context.output_shape()](const at::Tensor& x) {
    return at::permute(at::reshape(x, apart), order).reshape(to);
  });
}

}  // namespace

Step lower_expand(const LowerContext& context) {
  return of_one(context,
                [shape = context.output_shape()](const at::Tensor& x) { return x.expand(shape); });
}

Step lower_tile(const LowerContext& context) {
  return of_one(context, [repeats = to_int64s(*context.known(1))](const at::Tensor& x) {
    return x.repeat(repeats);
  });
}

Step lower_depth_to_space(const LowerContext& context) {
  const std::string mode = context.attributes().text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") {
    context.fail("'mode' is '" + mode + "', expected 'DCR' or 'CRD'");
  }
  const int64_t r = context.attributes().integer("blocksize", 1);
  const Shape &x = context.shape(0), &y = context.output_shape();
  if (mode == "CRD") return regroup(context, {x[0], y[1], r, r, x[2], x[3]}, {0, 1, 4, 2, 5, 3});
  return regroup(context, {x[0], r, r, y[1], x[2], x[3]}, {0, 3, 4, 1, 5, 2});
}

Step lower_space_to_depth(const LowerContext& context) {
  const int64_t r = context.attributes().integer("blocksize", 1);
  const Shape &x = context.shape(0), &y = context.output_shape();
  return regroup(context, {x[0], x[1], y[2], r, y[3], r}, {0, 3, 5, 1, 2, 4});
}

}  // namespace coppice::train
