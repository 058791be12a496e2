// Positions of nonzeros by context: one bit a weight, coded with the probability that weights in
// like surroundings had.
//
// The context of weight (row, column) is
//     density of its column so far   x   density of its row so far   x   two neighbours
// where a density is a 16-bit average that forgets (the column's over 64 rows, the row's over 32
// columns, both begin at the tensor's density) cut into 20 levels, an octave of it or of its
// complement each; the neighbours are the weights to the left and above within the kernel, or,
// where there are no kernels, the two before.
//
// Source for coding pruned weights with adaptive binary contexts: S. Wiedemann et al.,
// "DeepCABAC: Context-adaptive binary arithmetic coding for deep neural network compression", 2019,
// arXiv 1905.08318, section III.
// Differs: lossless; contexts are densities of column and row rather than the two weights before.
#pragma once

#include <cstdint>
#include <span>

#include "codec/tensor/entries.h"
#include "codec/tensor/geometry.h"

namespace coppice::codec {

// Requires: positions ascend and lie below `elements` < 2^32; geometry.columns divides elements.
Bytes encode_context_positions(std::span<const uint32_t> positions, uint64_t elements,
                               const Geometry& geometry);
// `count` positions. Throws Error::input where the bytes hold another number of them.
PositionList decode_context_positions(std::span<const std::byte> bytes, uint64_t count,
                                      uint64_t elements, const Geometry& geometry);

}  // namespace coppice::codec
