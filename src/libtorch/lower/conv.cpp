// Conv and ConvTranspose on any number of spatial axes that LibTorch knows (1 to 3).
//
// LibTorch pads both sides alike. What one side has more is put around the image first; the rest,
// and with it the usual symmetric case, is the convolution's own padding, which copies nothing.
// ConvTranspose is the reverse: its padding crops what comes out, and what one side loses more is
// cropped there afterwards. A side that should lose less than nothing gets zeros, and the bias.
#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

// What the convolution itself pads, and what is left for each side; `begin` and `end` are empty
// where nothing is.
struct Padding {
  std::vector<int64_t> both, begin, end;
};

Padding padding_of(const Shape& begin, const Shape& end) {
  Padding padding{{}, begin, end};
  bool uneven = false;
  for (size_t axis = 0; axis < begin.size(); ++axis) {
    padding.both.push_back(std::max<int64_t>(0, std::min(begin[axis], end[axis])));
    padding.begin[axis] -= padding.both.back();
    padding.end[axis] -= padding.both.back();
    uneven = uneven || begin[axis] != end[axis] || begin[axis] < 0;
  }
  return uneven ? padding : Padding{padding.both, {}, {}};
}

Shape spatial(const LowerContext& context, int input) {
  const Shape& shape = context.shape(input);
  if (shape.size() > 5) {
    context.fail("input has rank " + std::to_string(shape.size()) + ", expected 3 to 5");
  }
  return {shape.begin() + 2, shape.end()};
}

}  // namespace

Step lower_conv(const LowerContext& context) {
  const Window window =
      window_of(context.graph(), context.node(), spatial(context, 0), spatial(context, 1));
  const Padding padding = padding_of(window.begin, window.end);
  return [pads = last_axis_first(padding.begin, padding.end), both = padding.both,
          strides = window.strides, dilations = window.dilations,
          none = std::vector<int64_t>(padding.both.size(), 0),
          group = context.attributes().integer("group", 1), x = context.in(0), w = context.in(1),
          b = context.has(2) ? context.in(2) : kNoValue, y = context.out()](Values& values, Mode) {
    const at::Tensor image = pads.empty() ? values[x] : at::constant_pad_nd(values[x], pads, 0);
    const at::Tensor bias = b == kNoValue ? at::Tensor() : values[b];
    values[y] =
        at::convolution(image, values[w], bias, strides, both, dilations, false, none, group);
  };
}

Step lower_conv_transpose(const LowerContext& context) {
  const Shape x_shape = spatial(context, 0);
  const auto [window, output] =
      transposed_window_of(context.graph(), context.node(), x_shape, spatial(context, 1));
  Shape end;  // counts what output_padding adds, too, so it may be negative
  for (size_t axis = 0; axis < output.size(); ++axis) {
    const int64_t extent = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
    const int64_t full = window.strides[axis] * (x_shape[axis] - 1) + extent;
    end.push_back(full - window.begin[axis] - output[axis]);
  }
  Padding crops = padding_of(window.begin, end);
  for (int64_t& crop : crops.begin) crop = -crop;
  for (int64_t& crop : crops.end) crop = -crop;
  return
      [pads = last_axis_first(crops.begin, crops.end), both = crops.both, strides = window.strides,
       dilations = window.dilations, none = std::vector<int64_t>(crops.both.size(), 0),
       group = context.attributes().integer("group", 1), x = context.in(0), w = context.in(1),
       b = context.has(2) ? context.in(2) : kNoValue, y = context.out()](Values& values, Mode) {
        const at::Tensor bias = b == kNoValue ? at::Tensor() : values[b];
        const at::Tensor own = pads.empty() ? bias : at::Tensor();
        values[y] =
            at::convolution(values[x], values[w], own, strides, both, dilations, true, none, group);
        if (pads.empty()) return;
        values[y] = at::constant_pad_nd(values[y], pads, 0);
        if (!bias.defined()) return;
        Shape by_channel(both.size() + 1, 1);
        by_channel[0] = bias.size(0);
        values[y] = values[y] + bias.reshape(by_channel);
      };
}

}  // namespace coppice::train
