// Bits come back whatever their statistics, close to the entropy, through long carries.
#include "codec/coders/range_coder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"

namespace coppice::codec {
namespace {

double entropy(double p) {
  return p <= 0 || p >= 1 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p);
}

std::vector<bool> random_bits(size_t count, double ones, uint64_t seed) {
  Random random(seed);
  std::vector<bool> bits;
  for (size_t i = 0; i < count; ++i) bits.push_back(random.uniform() < ones);
  return bits;
}

Bytes coded(const std::vector<bool>& bits) {
  RangeEncoder encoder;
  AdaptiveBit model;
  for (const bool bit : bits) encoder.put(model, bit);
  return encoder.finish();
}

TEST(RangeCoder, independent_bits_take_their_entropy_within_one_percent) {
  constexpr size_t kBits = 1 << 20;
  for (const double ones : {0.01, 0.05, 0.1, 0.33, 0.5, 0.9}) {
    const auto bits = random_bits(kBits, ones, 1);
    EXPECT_LT(static_cast<double>(8 * coded(bits).size()), 1.01 * kBits * entropy(ones)) << ones;
  }
}

TEST(RangeCoder, bits_come_back_by_both_readers) {
  for (const double ones : {0.0, 0.001, 0.1, 0.5, 0.97, 1.0}) {
    for (const size_t count : {0, 1, 2, 7, 1000, 50000}) {
      const auto bits = random_bits(count, ones, count);
      const Bytes bytes = coded(bits);
      RangeDecoder skewed(bytes), plain(bytes);
      AdaptiveBit skewed_model, plain_model;
      for (const bool bit : bits) {
        ASSERT_EQ(skewed.get_skewed(skewed_model), bit);
        ASSERT_EQ(plain.get(plain_model), bit ? 1u : 0u);
      }
    }
  }
}

TEST(RangeCoder, plain_bits_cost_a_bit_each_and_mix_with_modelled_ones) {
  Random random(3);
  std::vector<uint32_t> numbers;
  RangeEncoder encoder;
  AdaptiveBit model;
  for (int i = 0; i < 20000; ++i) {
    numbers.push_back(static_cast<uint32_t>(random.next() >> 32) >> (i % 31));
    encoder.put(model, i % 2);
    encoder.put_plain(numbers.back(), 32 - i % 31);
  }
  const Bytes bytes = encoder.finish();
  RangeDecoder decoder(bytes);
  AdaptiveBit reading;
  for (int i = 0; i < 20000; ++i) {
    ASSERT_EQ(decoder.get(reading), i % 2u);
    ASSERT_EQ(decoder.get_plain(32 - i % 31), numbers[static_cast<size_t>(i)]);
  }
}

// Zeros of an unlikely kind push `low` up against the next carry again and again.
TEST(RangeCoder, carries_run_through_many_bytes) {
  Random random(5);
  for (int round = 0; round < 2000; ++round) {
    std::vector<bool> bits;
    const size_t count = 20 + random.below(100);
    RangeEncoder encoder;
    std::vector<AdaptiveBit> models(count, AdaptiveBit(65535, 1000));
    for (size_t i = 0; i < count; ++i) {
      bits.push_back(random.below(3) > 0);
      encoder.put(models[i], bits.back());
    }
    const Bytes bytes = encoder.finish();
    RangeDecoder decoder(bytes);
    models.assign(count, AdaptiveBit(65535, 1000));
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(decoder.get(models[i]), bits[i] ? 1u : 0u);
  }
}

TEST(RangeCoder, a_thousand_equal_bits_take_two_bytes_at_most) {
  EXPECT_LE(coded(std::vector<bool>(1000, false)).size(), 2u);
  EXPECT_LE(coded(std::vector<bool>(1000, true)).size(), 2u);
}

}  // namespace
}  // namespace coppice::codec
