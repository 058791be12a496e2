#include "evidence/measured/channel_view.h"

#include "graph/graph.h"

namespace coppice {
namespace {

ChannelView split_at(const float* data, const Shape& shape, int64_t axis) {
  ChannelView view{data, 1, shape[axis], 1};
  for (int64_t i = 0; i < axis; ++i) view.outer *= shape[i];
  for (size_t i = axis + 1; i < shape.size(); ++i) view.inner *= shape[i];
  return view;
}

}  // namespace

ChannelView view_channels(const ObservedValue& value, int64_t axis, std::vector<float>& rows) {
  if (value.block == 1) return split_at(value.data, value.shape, axis);
  ChannelView blocked = split_at(value.data, value.shape, 1);
  blocked.block = value.block;
  if (axis == 1) return blocked;
  rows.resize(blocked.outer * blocked.channels * blocked.inner);
  auto to = rows.begin();
  for (int64_t o = 0; o < blocked.outer; ++o) {
    for (int64_t c = 0; c < blocked.channels; ++c) {
      for (int64_t i = 0; i < blocked.inner; ++i) *to++ = blocked.at(o, c, i);
    }
  }
  return split_at(rows.data(), value.shape, axis);
}

}  // namespace coppice
