// Conv on any number of spatial axes that LibTorch knows (1 to 3).
//
// LibTorch pads both sides alike. What one side has more is put around the picture first; the rest,
// and with it the usual symmetric case, is the convolution's own padding, which copies nothing.
#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"
#include "train/lower/lowerings.h"

namespace coppice::train {

Step lower_conv(const LowerContext& context) {
  const Shape &x_shape = context.shape(0), &w_shape = context.shape(1);
  if (x_shape.size() > 5) {
    context.fail("input has rank " + std::to_string(x_shape.size()) + ", expected 3 to 5");
  }
  const Window window =
      window_of(context.graph(), context.node(), {x_shape.begin() + 2, x_shape.end()},
                {w_shape.begin() + 2, w_shape.end()});
  std::vector<int64_t> both, begin = window.begin, end = window.end;
  bool uneven = false;
  for (size_t axis = 0; axis < begin.size(); ++axis) {
    both.push_back(std::max<int64_t>(0, std::min(begin[axis], end[axis])));
    begin[axis] -= both.back();
    end[axis] -= both.back();
    uneven = uneven || begin[axis] != 0 || end[axis] != 0;
  }
  return [pads = uneven ? last_axis_first(begin, end) : std::vector<int64_t>{}, both,
          strides = window.strides, dilations = window.dilations,
          none = std::vector<int64_t>(both.size(), 0),
          group = context.attributes().integer("group", 1), x = context.in(0), w = context.in(1),
          b = context.has(2) ? context.in(2) : kNoValue, y = context.out()](Values& values, Mode) {
    const at::Tensor picture = pads.empty() ? values[x] : at::constant_pad_nd(values[x], pads, 0);
    const at::Tensor bias = b == kNoValue ? at::Tensor() : values[b];
    values[y] =
        at::convolution(picture, values[w], bias, strides, both, dilations, false, none, group);
  };
}

}  // namespace coppice::train
