// Positions as relative indices: the paper's storage.
//
// For each stored entry an index v = gap - 1 of b bits, where gap is the distance to the entry
// before (the first: position + 1). While the gap exceeds 2^b a filler is stored first: an entry of
// value zero (code 0) with v = 2^b - 1, which takes 2^b off the gap. Positions are the running sum
// of v + 1, less one. Indices are packed, or coded by a Huffman code of their own. Source: S. Han,
// H. Mao, W. J. Dally, "Deep Compression", ICLR 2016, arXiv 1510.00149, section 2 and Figure 2; the
// authors' released decoder for code 0. Differs: none known.
//
// Layout: a byte: b, plus 128 if a Huffman code follows; its table (huffman.h); varint of the bytes
// of the indices; the indices, lowest bit first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/coders/huffman.h"
#include "codec/tensor/entries.h"

namespace coppice::codec {

inline constexpr int kMaxIndexBits = 12;  // 2^b symbols must fit a Huffman code

// How often each gap occurs: all that sizes depend on.
struct GapHistogram {
  std::vector<uint64_t> small;  // small[gap], for gaps below kSmallGaps
  std::vector<uint32_t> large;  // the other gaps, each less one
  uint64_t entries = 0;         // positions
  static constexpr uint32_t kSmallGaps = 65536;
};
// Requires: positions ascend.
GapHistogram gaps_of(std::span<const uint32_t> positions);

struct RelativeSizes {
  int index_bits = 0;
  uint64_t fillers = 0;
  CodeLengths lengths;        // of the Huffman code
  uint64_t packed_bits = 0;   // of all indices, fillers too
  uint64_t huffman_bits = 0;  // without the table
};
// Requires: 1 <= index_bits <= kMaxIndexBits.
RelativeSizes relative_sizes(const GapHistogram& gaps, int index_bits);

// Entries with fillers among them: the position of each, and for which it is a filler.
struct RelativeEntries {
  std::vector<uint32_t> indices;
  std::vector<bool> filler;
};
RelativeEntries relative_entries(std::span<const uint32_t> positions, int index_bits);

enum class IndexCoding { packed, huffman };
Bytes encode_relative(const RelativeEntries& entries, const RelativeSizes& sizes,
                      IndexCoding coding);
// The positions of `entries` entries, fillers included. Throws Error::input where they end early or
// leave `elements`.
PositionList decode_relative(ByteReader& reader, uint64_t entries, uint64_t elements);

}  // namespace coppice::codec
