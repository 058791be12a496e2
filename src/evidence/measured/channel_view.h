// An observed value as [outer, channels, inner] in rows, or blocked as [outer, blocks, inner,
// block]. Private to `evidence`.
#pragma once

#include <vector>

#include "runtime/observation.h"

namespace coppice {

struct ChannelView {
  const float* data;
  int64_t outer, channels, inner;
  int64_t block = 1;

  int64_t blocks() const { return (channels + block - 1) / block; }
  const float& at(int64_t o, int64_t c, int64_t i) const {
    if (block == 1) return data[(o * channels + c) * inner + i];
    return data[((o * blocks() + c / block) * inner + i) * block + c % block];
  }
};

// Blocks are seen as they lie where the channels are axis 1; else `rows` gets the value in rows,
// and the view is of these.
ChannelView view_channels(const ObservedValue& value, int64_t axis, std::vector<float>& rows);

}  // namespace coppice
