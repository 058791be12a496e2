// Slice, Split, Concat and Pad: pieces of axes.
#include <algorithm>

#include "graph/op.h"
#include "graph/ops/ops.h"
#include "graph/ops/pad.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

int64_t axis_of(const LowerContext& context) {
  return resolve_axis(context.graph(), context.node(), context.attributes().integer("axis", 0),
                      context.rank(0));
}

// LibTorch slices forwards only: a range that runs backwards is cut out and then turned round.
at::Tensor cut(const at::Tensor& x, const SliceRange& range) {
  if (range.count == 0) return at::narrow(x, range.axis, 0, 0);
  const int64_t last = range.start + (range.count - 1) * range.step;
  if (range.step > 0) return at::slice(x, range.axis, range.start, last + 1, range.step);
  return at::flip(at::slice(x, range.axis, last, range.start + 1, -range.step), {range.axis});
}

// The strides of a slice that takes every so many-th pixel from the first on, and all else whole.
// As a pool of single pixels it keeps channels_last in its gradient, too, where that of at::slice
// is row-major and has to be put in order (a ResNet's shortcuts of option A: 2 % of its step).
std::vector<int64_t> pixel_strides(const Shape& shape, const std::vector<SliceRange>& ranges) {
  std::vector<int64_t> strides{1, 1};
  bool strided = false;
  for (const SliceRange& range : ranges) {
    const bool whole = range.start == 0 && range.step == 1 && range.count == shape[range.axis];
    if (whole) continue;
    const bool pixels = shape.size() == 4 && range.axis >= 2 && range.start == 0 &&
                        range.step > 1 && strides[range.axis - 2] == 1 &&
                        range.count == (shape[range.axis] - 1) / range.step + 1;
    if (!pixels) return {};
    strides[range.axis - 2] = range.step;
    strided = true;
  }
  return strided ? strides : std::vector<int64_t>();
}

}  // namespace

Step lower_slice(const LowerContext& context) {
  const auto ranges =
      slice_ranges(context.graph(), context.node(), context.shape(0), context.known(1),
                   context.known(2), context.known(3), context.known(4));
  if (!ranges) context.fail("it has no bounds");
  return of_one(context, [ranges = *ranges,
                          strides = pixel_strides(context.shape(0), *ranges)](const at::Tensor& x) {
    const bool pool = !strides.empty() && x.is_cpu() && x.is_floating_point() &&
                      x.suggest_memory_format() == at::MemoryFormat::ChannelsLast;
    if (pool) return at::avg_pool2d(x, {1, 1}, strides);
    at::Tensor result = at::alias(x);
    for (const SliceRange& range : ranges) result = cut(result, range);
    return result;
  });
}

Step lower_split(const LowerContext& context) {
  const std::vector<ValueId>& outputs = context.node().outputs;
  if (std::ranges::count(outputs, kNoValue) != 0) context.fail("one of its outputs is left out");
  const int64_t axis = axis_of(context);
  std::vector<int64_t> sizes;
  for (size_t o = 0; o < outputs.size(); ++o) {
    sizes.push_back(context.output_shape(static_cast<int>(o))[axis]);
  }
  return [axis, sizes, outputs, x = context.in(0)](Values& values, Mode) {
    int64_t begin = 0;
    for (size_t o = 0; o < outputs.size(); ++o) {
      values[outputs[o]] = at::narrow(values[x], axis, begin, sizes[o]);
      begin += sizes[o];
    }
  };
}

Step lower_concat(const LowerContext& context) {
  return [axis = axis_of(context), inputs = context.node().inputs, y = context.out()](
             Values& values, Mode) {
    std::vector<at::Tensor> pieces;
    for (const ValueId id : inputs) pieces.push_back(values[id]);
    values[y] = at::cat(pieces, axis);
  };
}

namespace {

// Copies of the axis's own elements.
Step pad_by_copies(const LowerContext& context, const std::vector<int64_t>& pads) {
  const int64_t rank = context.rank(0);
  std::vector<std::pair<int64_t, at::Tensor>> along;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (pads[axis] == 0 && pads[rank + axis] == 0) continue;
    const auto places = padded_places(context.graph(), context.node(), context.shape(0)[axis],
                                      pads[axis], pads[rank + axis]);
    along.emplace_back(axis, at::tensor(places, at::kLong));
  }
  return of_one(context, [along = std::move(along)](const at::Tensor& x) {
    at::Tensor padded = x;
    for (const auto& [axis, places] : along) {
      padded = padded.index_select(axis, places.to(x.device()));
    }
    return padded;
  });
}

}  // namespace

// By a constant or by copies, and cropping where a pad is negative.
Step lower_pad(const LowerContext& context) {
  const int64_t rank = context.rank(0);
  const auto pads =
      pads_of(context.graph(), context.node(), rank, context.known(1), context.known(3));
  if (!pads) context.fail("it has no pads");
  if (context.attributes().text("mode", "constant") != "constant") {
    return pad_by_copies(context, *pads);
  }
  const Tensor* given = context.known(2);
  const double value = given ? number_of(context, *given, "the padding's value")
                             : static_cast<double>(context.attributes().real("value", 0));
  return of_one(context, [value, both = last_axis_first({pads->begin(), pads->begin() + rank},
                                                        {pads->begin() + rank, pads->end()})](
                             const at::Tensor& x) { return at::constant_pad_nd(x, both, value); });
}

}  // namespace coppice::train
