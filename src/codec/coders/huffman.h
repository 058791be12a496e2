// Canonical Huffman codes, at most 15 bits long.
//
// A code is its lengths alone: codes of one length are consecutive numbers in the order of their
// symbols, and shorter codes come first. An alphabet with a single symbol that occurs is coded in
// no bits at all. Lengths are optimal under the limit of 15 bits (package-merge). Sources: D. A.
// Huffman, "A method for the construction of minimum-redundancy codes", Proc. IRE 40(9), 1952; L.
// L. Larmore and D. S. Hirschberg, "A fast algorithm for optimal length-limited Huffman codes", J.
// ACM 37(3), 1990.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/coders/bits.h"

namespace coppice::codec {

inline constexpr int kMaxCodeLength = 15;
// Larger alphabets could outgrow the limit, and their tables would outweigh what they save.
inline constexpr size_t kMaxHuffmanSymbols = 4096;

using CodeLengths = std::vector<uint8_t>;  // one a symbol, 0 where it doesn't occur

// Requires: counts.size() <= kMaxHuffmanSymbols.
CodeLengths code_lengths(std::span<const uint64_t> counts);
// Bits that symbols with these counts take, without the table.
uint64_t coded_bits(std::span<const uint64_t> counts, std::span<const uint8_t> lengths);

// The table: a varint of its bytes, then each length in 4 bits by the adaptive coder, the length
// before it as context.
void append_lengths(Bytes& bytes, std::span<const uint8_t> lengths);
// Throws Error::input where it ends early.
CodeLengths take_lengths(ByteReader& reader, size_t symbols);

class HuffmanEncoder {
 public:
  explicit HuffmanEncoder(std::span<const uint8_t> lengths);
  // Requires: the symbol occurs (lengths[symbol] > 0).
  void put(BitWriter& bits, uint32_t symbol) const {
    bits.put(codes_[symbol].bits, codes_[symbol].length);
  }

 private:
  struct Code {
    uint16_t bits = 0;  // first bit lowest
    uint8_t length = 0;
  };
  std::vector<Code> codes_;
};

class HuffmanDecoder {
 public:
  // Throws Error::input unless the lengths make a complete code, or just one symbol occurs.
  explicit HuffmanDecoder(std::span<const uint8_t> lengths);
  // Takes at most 15 of the bits that a `refill` made available.
  uint32_t get(BitReader& bits) const {
    const Entry entry = fast_[bits.bits() & (kFastSize - 1)];
    if (entry.length > kFastBits) return get_long(bits);
    bits.skip(entry.length);
    return entry.symbol;
  }

 private:
  static constexpr int kFastBits = 11;
  static constexpr size_t kFastSize = size_t{1} << kFastBits;
  struct Entry {
    uint16_t symbol = 0;
    uint16_t length = kFastBits + 1;  // longer than the table covers
  };
  uint32_t get_long(BitReader& bits) const;

  std::array<Entry, kFastSize> fast_;
  std::vector<uint16_t> sorted_;  // symbols by length, then by number
  std::array<uint16_t, kMaxCodeLength + 1> count_{};
};

}  // namespace coppice::codec
