// The distinct values of a tensor: the codebook that codes point into.
//
// Values are bit patterns of 1, 2 or 4 bytes, so that NaNs and -0.0 come back as they were. They
// stand in the order of floats (of that width): an index's leading bits then are sign and
// magnitude, and what is stored is the differences, which for 256 values take two thirds of the
// values' bytes.
//
// Layout: varint of the number of values, varint of the bytes that follow, and in them, by the
// adaptive coder: for each value the bit width (6 bits, a binary tree of models) of its order key
// less the one before less one (of the first key itself), then its bits below the highest one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codec/coders/bytes.h"

namespace coppice::codec {

inline constexpr size_t kMaxCodebook = 65535;  // codes fit 16 bits, one for fillers among them

using Codebook = std::vector<uint32_t>;

void append_codebook(Bytes& bytes, const Codebook& codebook, int width_bytes);
// Throws Error::input for more than `most` values, for none, or for keys beyond the width.
Codebook take_codebook(ByteReader& reader, uint64_t most, int width_bytes);

// The distinct values among a sequence, and which of them each is.
struct Codes {
  Codebook codebook;             // by order key
  std::vector<uint16_t> codes;   // one a value: codebook[code]
  std::vector<uint64_t> counts;  // of each code
  // Code 0 is a filler, and code i codebook[i - 1].
  bool fillers = false;
};
// `codes` with a filler where filler[i]; the others in order. Requires: no fillers yet.
Codes with_fillers(const Codes& codes, const std::vector<bool>& filler);
// sum of count * -log2(share), in bits.
double entropy_bits(std::span<const uint64_t> counts);

// Gathers values as they come; `full` once there are more than kMaxCodebook distinct ones.
class CodebookBuilder {
 public:
  explicit CodebookBuilder(uint64_t expected_values);
  // Requires: not full.
  void add(uint32_t pattern);
  bool full() const { return values_.size() > kMaxCodebook; }
  size_t distinct() const { return values_.size(); }
  // Requires: not full.
  Codes finish(int width_bytes);

 private:
  struct Slot {
    uint32_t pattern = 0, number = 0;  // number: 1 + index into values_; 0 for none
  };
  std::vector<Slot> slots_;  // a power of two of them, at least twice as many as values
  int shift_;
  std::vector<uint32_t> values_;  // in order of appearance
  std::vector<uint16_t> codes_;   // into values_
};

}  // namespace coppice::codec
