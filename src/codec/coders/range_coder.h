// An adaptive binary range coder: the entropy coder behind the context modes.
//
// An interval [low, low + range) of 64 bits is cut at each bit in proportion to the probability
// that the bit is one; whenever it is narrower than 2^32, its 32 settled bits move out. A carry may
// still come: it is added to the bytes already written. An AdaptiveBit estimates a probability p by
//
//     p += (bit - p) / (n + 1.5)        n = bits seen so far, at most kLimit
//
// (the Krichevsky-Trofimov estimate at first, a slow exponential average later). Everything is
// integer arithmetic, so files read the same everywhere.
// Sources: G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised
// message", Video & Data Recording Conference 1979; R. E. Krichevsky and V. K. Trofimov, "The
// performance of universal encoding", IEEE Trans. Information Theory 27(2), 1981.
// Differs: binary alphabet; 32 bits leave at a time; n stops at kLimit.
#pragma once

#include <array>

#include "codec/coders/bytes.h"

namespace coppice::codec {

class AdaptiveBit {
 public:
  AdaptiveBit() = default;
  // Probability of a one in 2^-16, as if it had been seen `weight` times.
  AdaptiveBit(uint32_t probability, uint32_t weight) : state_(probability << 16 | weight) {}

  // Probability of a one in 2^-16: 1 to 65535.
  uint32_t probability() const { return state_ >> 16 | 1; }
  void saw_one() { update(int64_t{kSure}); }
  void saw_zero() { update(0); }
  // `ones`: all bits set for a one, none for a zero.
  void saw(uint64_t ones) { update(static_cast<int64_t>(ones & kSure)); }

 private:
  // On independent bits an average that forgets at the rate 1/n costs 0.36/n bits a bit too much.
  static constexpr uint32_t kLimit = 1023, kCountMask = 1023;
  static constexpr uint64_t kSure = 0xfffffc00;  // probability 1

  static constexpr std::array<uint16_t, kLimit + 1> make_rates() {
    std::array<uint16_t, kLimit + 1> rates{};
    for (uint32_t n = 0; n <= kLimit; ++n) rates[n] = static_cast<uint16_t>(131072 / (2 * n + 3));
    return rates;
  }
  static const std::array<uint16_t, kLimit + 1> kRates;

  void update(int64_t target) {
    const uint32_t count = state_ & kCountMask, p = state_ & ~kCountMask;
    const auto step = static_cast<uint32_t>(((target - int64_t{p}) * kRates[count]) >> 16);
    state_ = p + (step & ~kCountMask) + count + (count < kLimit ? 1 : 0);
  }

  uint32_t state_ = uint32_t{1} << 31;  // 22 bits of probability above 10 bits of count
};

inline constexpr std::array<uint16_t, AdaptiveBit::kLimit + 1> AdaptiveBit::kRates =
    AdaptiveBit::make_rates();

class RangeEncoder {
 public:
  // Without a branch on the bit: half of them can't be guessed.
  void put(AdaptiveBit& model, bool one) {
    const uint64_t part = (range_ >> 16) * model.probability();
    cut(part, one ? ~uint64_t{0} : 0);
    model.saw(one ? ~uint64_t{0} : 0);
  }
  // `bits` bits of `value`, highest first, each as likely zero as one.
  void put_plain(uint32_t value, int bits) {
    for (int i = bits - 1; i >= 0; --i) {
      cut((range_ >> 16) << 15, value >> i & 1 ? ~uint64_t{0} : 0);
    }
  }
  // The shortest bytes that, followed by zeros for ever, name a number within the interval.
  Bytes finish() {
    for (int keep = 1; keep <= 8; ++keep) {
      const uint64_t below = keep == 8 ? 0 : ~uint64_t{0} >> (8 * keep);
      const uint64_t value = (low_ + below) & ~below;
      if (value - low_ >= range_) continue;
      if (value < low_) carry();
      for (int i = 0; i < keep; ++i)
        bytes_.push_back(static_cast<std::byte>(value >> (56 - 8 * i)));
      break;
    }
    while (!bytes_.empty() && bytes_.back() == std::byte{0}) bytes_.pop_back();
    return std::move(bytes_);
  }

 private:
  // Keeps the lower `part` of the interval for a one (all bits of `ones` set), else the rest.
  void cut(uint64_t part, uint64_t ones) {
    const uint64_t rest = range_ - part, below = part & ~ones;
    low_ += below;
    if (low_ < below) carry();
    range_ = rest ^ ((rest ^ part) & ones);
    if (range_ >> 32) return;
    append_fixed(bytes_, __builtin_bswap32(static_cast<uint32_t>(low_ >> 32)), 4);
    low_ <<= 32;
    range_ <<= 32;
  }
  void carry() {
    size_t i = bytes_.size();
    while (bytes_[--i] == std::byte{0xff}) bytes_[i] = std::byte{0};
    bytes_[i] = static_cast<std::byte>(static_cast<uint8_t>(bytes_[i]) + 1);
  }

  Bytes bytes_;
  uint64_t low_ = 0, range_ = ~uint64_t{0};
};

// Reads zeros past the end: what is missing there is what `finish` left out.
class RangeDecoder {
 public:
  explicit RangeDecoder(std::span<const std::byte> bytes)
      : next_(bytes.data()), end_(bytes.data() + bytes.size()) {
    const uint64_t high = word();
    code_ = high << 32 | word();
  }

  // For bits that are mostly alike: the processor's guess of a branch is mostly right, and it goes
  // on before the bit is known.
  bool get_skewed(AdaptiveBit& model) {
    const uint64_t part = (range_ >> 16) * model.probability();
    const bool one = code_ < part;
    if (one) {
      range_ = part;
      model.saw_one();
    } else {
      code_ -= part;
      range_ -= part;
      model.saw_zero();
    }
    settle();
    return one;
  }
  // For bits that nobody can guess: without a branch.
  uint32_t get(AdaptiveBit& model) {
    const uint64_t part = (range_ >> 16) * model.probability();
    const uint64_t ones = code_ < part ? ~uint64_t{0} : 0, rest = range_ - part;
    range_ = rest ^ ((rest ^ part) & ones);
    code_ -= part & ~ones;
    model.saw(ones);
    settle();
    return static_cast<uint32_t>(ones & 1);
  }
  uint32_t get_plain(int bits) {
    uint32_t value = 0;
    for (int i = 0; i < bits; ++i) {
      const uint64_t part = (range_ >> 16) << 15;
      const bool one = code_ < part;
      code_ -= one ? 0 : part;
      range_ = one ? part : range_ - part;
      value = value << 1 | (one ? 1 : 0);
      settle();
    }
    return value;
  }

 private:
  void settle() {
    if (range_ >> 32) return;
    range_ <<= 32;
    code_ = code_ << 32 | word();
  }
  uint32_t word() {
    uint32_t value = 0;
    if (end_ - next_ >= 4) {
      std::memcpy(&value, next_, 4);
      next_ += 4;
      return __builtin_bswap32(value);
    }
    for (int shift = 24; next_ < end_; shift -= 8) {
      value |= static_cast<uint32_t>(*next_++) << shift;
    }
    return value;
  }

  const std::byte* next_;
  const std::byte* end_;
  uint64_t code_ = 0, range_ = ~uint64_t{0};  // the coded number, less the interval's lower end
};

}  // namespace coppice::codec
