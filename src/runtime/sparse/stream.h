// The weights of a sparse convolution as the streams that its loops read: row by row, only what
// isn't zero, with the place of what it multiplies. Rows are output channels.
//
// Channels of the input come in chunks, whose part of a tile stays in the first-level cache while
// all rows run through it. Rows whose neighbours have their zeros at the same places make blocks;
// the other rows, and those that are left over at the end, go one by one.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace coppice::runtime {

struct Stream {
  int rows_together = 1;       // 1, 2 or 4
  std::vector<int32_t> rows;   // [groups * rows_together]
  std::vector<float> entries;  // StreamEntry<rows_together>, offsets as bits of a float
  std::vector<std::vector<int32_t>> begins;  // by chunk, [groups + 1]

  int64_t groups() const { return static_cast<int64_t>(rows.size()) / rows_together; }
};

struct StreamOptions {
  int rows_together = 1;
  int64_t chunk_channels;            // of the input
  int64_t groups = 1;                // of the convolution
  std::vector<int64_t> tap_offsets;  // bytes from the tile's first pixel, by tap
  int64_t channel_bytes;             // from one input channel to the next
};

// `weight`: [O, I/G, K...] float32.
std::vector<Stream> streams_of(const Tensor& weight, const StreamOptions& options);

// The most rows (4, 2, 1) that lie together in blocks with hardly a zero filled in.
int rows_together(const Tensor& weight, int64_t groups);
int64_t count_nonzeros(const Tensor& weight);

}  // namespace coppice::runtime
