// Bits out and in, lowest bit of a byte first. In the header because every stored weight passes.
#pragma once

#include <algorithm>

#include "codec/coders/bytes.h"

namespace coppice::codec {

class BitWriter {
 public:
  // Requires: 0 <= bits <= 32, value < 2^bits.
  void put(uint32_t value, int bits) {
    held_ |= uint64_t{value} << count_;
    count_ += bits;
    if (count_ < 32) return;
    append_fixed(bytes_, held_, 4);
    held_ >>= 32;
    count_ -= 32;
  }
  // Fills the last byte with zero bits.
  Bytes finish() {
    append_fixed(bytes_, held_, (count_ + 7) / 8);
    held_ = 0;
    count_ = 0;
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
  uint64_t held_ = 0;
  int count_ = 0;  // bits in held_, less than 32 between calls
};

// Reads zeros past the end, so that loops need no test for it; `overrun` tells afterwards.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes)
      : next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // Makes at least 56 bits available to `bits` and `skip`.
  void refill() {
    if (end_ - next_ >= 8) {
      // The bits above count_ that are set here are set again, to the same, by the next refill.
      uint64_t word;
      std::memcpy(&word, next_, 8);
      held_ |= word << count_;
      next_ += (63 - count_) >> 3;
      count_ |= 56;
      return;
    }
    for (; count_ < 56; count_ += 8) {
      if (next_ < end_) {
        held_ |= static_cast<uint64_t>(*next_++) << count_;
      } else {
        phantom_ += 8;
      }
    }
  }
  // The next bits, lowest first, without taking them. Only the first 56 after a refill are right.
  uint64_t bits() const { return held_; }
  void skip(int bits) {
    held_ >>= bits;
    count_ -= bits;
  }
  // Requires: 0 <= bits <= 32.
  uint32_t get(int bits) {
    refill();
    const auto value = static_cast<uint32_t>(held_ & ((uint64_t{1} << bits) - 1));
    skip(bits);
    return value;
  }
  bool overrun() const { return phantom_ > count_; }

 private:
  const std::byte* next_;
  const std::byte* end_;
  uint64_t held_ = 0;
  int64_t count_ = 0;    // bits in held_
  int64_t phantom_ = 0;  // zero bits that were supplied past the end
};

}  // namespace coppice::codec
