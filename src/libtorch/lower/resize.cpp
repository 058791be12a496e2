// Resize and Upsample, axis after axis: pixels are picked by index, and for linear interpolation
// two of them are blended. LibTorch's own interpolation knows fewer coordinates.
#include "graph/ops/resize.h"

#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

struct Picked {
  int64_t axis;
  at::Tensor low, high, share;  // `share`, of `high`, lies along the axis; undefined for nearest
};

Picked picked(const std::vector<Blend>& blends, int64_t axis, int64_t rank) {
  std::vector<int64_t> low, high;
  std::vector<double> share;
  bool blended = false;
  for (const Blend& blend : blends) {
    low.push_back(blend.low);
    high.push_back(blend.high);
    share.push_back(blend.share);
    blended = blended || blend.share != 0;
  }
  Picked result{axis, at::tensor(low, at::kLong), {}, {}};
  if (!blended) return result;
  Shape along(rank, 1);
  along[axis] = static_cast<int64_t>(blends.size());
  result.high = at::tensor(high, at::kLong);
  result.share = at::tensor(share, at::kDouble).reshape(along);
  return result;
}

at::Tensor resized(const at::Tensor& x, const Picked& picked) {
  const at::Tensor low = at::index_select(x, picked.axis, picked.low.to(x.device()));
  if (!picked.share.defined()) return low;
  const at::Tensor high = at::index_select(x, picked.axis, picked.high.to(x.device()));
  const at::Tensor share = picked.share.to(x.options());
  return low * (1 - share) + high * share;
}

}  // namespace

Step lower_resize(const LowerContext& context) {
  const ResizePlaces places = resize_places(context.graph(), context.node());
  const auto known = [&](int place) { return place < 0 ? nullptr : context.known(place); };
  const auto target = resize_target(context.graph(), context.node(), context.shape(0),
                                    known(places.scales), known(places.sizes));
  if (!target) context.fail("neither scales nor sizes are given");
  std::vector<Picked> axes;
  for (int64_t axis = 0; axis < context.rank(0); ++axis) {
    const auto blends =
        resize_blends(context.graph(), context.node(), context.shape(0), *target, axis);
    if (blends) axes.push_back(picked(*blends, axis, context.rank(0)));
  }
  return of_one(context, [axes](const at::Tensor& x) {
    at::Tensor result = at::alias(x);
    for (const Picked& axis : axes) result = resized(result, axis);
    return result;
  });
}

}  // namespace coppice::train
