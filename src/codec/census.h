// What a tensor is made of: its nonzeros, their places and different values. Every choice of a
// storage and every figure of the report follows from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "codec/codec.h"
#include "codec/palette.h"
#include "codec/relative_index.h"

namespace coppice::codec {

struct Census {
  uint64_t elements = 0;
  uint64_t nonzeros = 0;
  std::vector<uint32_t> positions;  // of the nonzeros, unless there is no zero
  std::optional<Codes> codes;       // of the nonzeros; none where the values are too many
  GapHistogram gaps;
  RelativeSizes relative;  // for the index width with the fewest bits
};

// Requires: width_bytes is 1, 2 or 4, there is an element, and less than 2^32.
Census take_census(std::span<const std::byte> elements, int width_bytes, int index_bits);

// Fills everything but name, storage and bytes.
TensorReport account(const Census& census, int width_bytes);

}  // namespace coppice::codec
