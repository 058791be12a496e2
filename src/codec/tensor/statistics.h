// What a tensor is made of: its nonzeros, their places and different values. Every choice of a
// storage and every figure of the report follows from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/coders/relative_index.h"
#include "codec/container/codec.h"
#include "codec/tensor/codebook.h"

namespace coppice::codec {

// Nonzeros share values where there are at most so many different ones for each. With more, a code
// and its part of the codebook take more bits than the value.
inline constexpr double kSharedValues = 0.75;

struct TensorStatistics {
  uint64_t elements = 0;
  uint64_t nonzeros = 0;
  std::vector<uint32_t> positions;  // of the nonzeros; empty where there is no zero
  int64_t distinct = 0;             // nonzero values; -1 where they exceed kMaxCodebook
  std::optional<Codes> codes;       // of the nonzeros; none where they don't share values
  GapHistogram gaps;
  RelativeSizes relative;  // for the index width with the fewest bits
};

// Requires: width_bytes is 1, 2 or 4, there is an element, and less than 2^32.
TensorStatistics take_statistics(std::span<const std::byte> elements, int width_bytes,
                                 int index_bits);

// Fills everything but name, storage and bytes.
TensorReport account(const TensorStatistics& statistics, int width_bytes);

}  // namespace coppice::codec
