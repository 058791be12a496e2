// oneDNN layouts as strided arrays. Private to `steps`.
//
// A layout blocked by channels, nChw8c, is the array [N, C/8, H, W, 8] with C rounded up to 8. Cuts
// and seams of the channel axis must fall on whole blocks to be seen that way; elements that pad
// the last block are zero and stay so, being copied like all others.
#pragma once

#include "runtime/kernels/steps.h"
#include "runtime/loops/strided_copy.h"

namespace coppice::runtime {

// How many channels lie together: 1 for row-major, 8 or 16; nothing for other layouts.
std::optional<int64_t> channel_block(const Description& desc);
// The layout with that block. Requires: block 1, or 3 to 5 axes.
Description blocked_description(const Shape& shape, int64_t block);
View view_of(const Shape& shape, int64_t block);

// Elements first, first + step, ... (`count` of them) of one axis.
struct AxisRange {
  int64_t axis, first, step, count;
};
// Whether the range cuts an axis of `size` so that blocks of channels stay whole.
bool keeps_blocks(const AxisRange& range, int64_t size, int64_t block);
// Narrows the view to the range. Requires: keeps_blocks.
void narrow(View& view, const AxisRange& range, int64_t block);

}  // namespace coppice::runtime
