#include "evidence/measured/samples.h"

#include "evidence/measured/positions.h"

namespace coppice {
namespace {

// The place of element `index` in an array of `shape`.
Shape unravelled(int64_t index, const Shape& shape) {
  Shape place(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    place[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return place;
}

}  // namespace

void Samples::add(const ObservedValue& value) {
  const ChannelView view = view_channels(value, request_.axis, rows_);
  const int64_t images = value.shape[0];
  const Shape input(value.shape.begin() + request_.axis + 1, value.shape.end());
  const Shape output = window_ ? window_output(*window_, input, false) : Shape{};
  const int64_t outer = view.outer / std::max<int64_t>(images, 1);
  const int64_t positions = window_ ? element_count(output) : outer * view.inner;
  width_ = view.channels * (window_ ? element_count(window_->kernel) : 1);
  for (int64_t n = 0; n < images; ++n, ++images_) {
    for (const int64_t position :
         sampled_positions(request_.seed, images_, positions, request_.points)) {
      if (window_) {
        add_patch(view, input, output, n, position);
      } else {
        add_channels(view, n * outer, position);
      }
    }
  }
}

// `first`: where the image begins on the outer axis.
void Samples::add_channels(const ChannelView& view, int64_t first, int64_t position) {
  const int64_t o = first + position / view.inner, i = position % view.inner;
  for (int64_t c = 0; c < view.channels; ++c) samples_.push_back(view.at(o, c, i));
}

void Samples::add_patch(const ChannelView& view, const Shape& input, const Shape& output,
                        int64_t image, int64_t position) {
  const Window& w = *window_;
  const Shape at = unravelled(position, output);
  std::vector<int64_t> taps;  // positions of the input, -1 in the zeros around it
  for (int64_t t = 0, count = element_count(w.kernel); t < count; ++t) {
    const Shape tap = unravelled(t, w.kernel);
    int64_t inside = 0;
    for (size_t axis = 0; axis < input.size() && inside >= 0; ++axis) {
      const int64_t x = at[axis] * w.strides[axis] - w.begin[axis] + tap[axis] * w.dilations[axis];
      inside = x < 0 || x >= input[axis] ? -1 : inside * input[axis] + x;
    }
    taps.push_back(inside);
  }
  for (int64_t c = 0; c < view.channels; ++c) {
    for (const int64_t i : taps) samples_.push_back(i < 0 ? 0 : view.at(image, c, i));
  }
}

Tensor Samples::result() const {
  const auto count = width_ == 0 ? 0 : std::ssize(samples_) / width_;
  return Tensor::of<float>({count, width_}, samples_);
}

}  // namespace coppice
