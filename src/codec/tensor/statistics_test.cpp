// The paper's accounting on numbers that can be done by hand.
#include "codec/tensor/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace coppice::codec {
namespace {

TensorReport report_of(const std::vector<float>& weights, int index_bits) {
  return account(take_statistics(std::as_bytes(std::span(weights)), 4, index_bits), 4);
}

TEST(TensorStatistics, counts_fillers_codes_and_codebook) {
  // Nonzeros at 0, 1 and 11: with 2 bits the gap of 10 takes two fillers.
  std::vector<float> weights(16, 0.0f);
  weights[0] = weights[11] = 1.5f;
  weights[1] = -1;
  const TensorReport report = report_of(weights, 2);
  EXPECT_EQ(report.elements, 16);
  EXPECT_EQ(report.nonzeros, 3);
  EXPECT_EQ(report.distinct, 2);
  EXPECT_EQ(report.fillers, 2);
  EXPECT_EQ(report.p_bits, 5 * (32 + 2));
  EXPECT_EQ(report.pq_bits, 5 * (2 + 2) + 32 * 4);  // three codes take two bits
  // Indices 0 0 3 3 1 and codes 2 1 0 0 2: both (2, 2, 1), that is 8 bits.
  EXPECT_EQ(report.pqh_bits, 8 + 8 + 32 * 4);
  const double h = 16 * (-3 / 16.0 * std::log2(3 / 16.0) - 13 / 16.0 * std::log2(13 / 16.0));
  const double v = -2 * std::log2(2 / 3.0) - std::log2(1 / 3.0);
  EXPECT_NEAR(report.bound_bits, h + v + 64, 1e-9);
}

TEST(TensorStatistics, negative_zero_is_a_nonzero) {
  EXPECT_EQ(report_of({0.0f, -0.0f, 1.0f}, 0).nonzeros, 2);
}

TEST(TensorStatistics, all_zeros_and_no_zeros) {
  EXPECT_EQ(report_of({0, 0, 0}, 0).bound_bits, 0);
  EXPECT_EQ(report_of({0, 0, 0}, 0).fillers, 0);
  EXPECT_EQ(report_of({1, 1, 1}, 0).pqh_bits, 64);
  EXPECT_EQ(report_of({1, 1, 1}, 0).bound_bits, 32);
}

TEST(TensorStatistics, the_index_width_chosen_is_the_one_with_the_fewest_huffman_bits) {
  std::vector<float> weights(20000, 0.0f);
  for (size_t i = 0; i < weights.size(); i += 1 + i % 37) weights[i] = i % 3 ? 1.0f : 2.0f;
  const TensorReport chosen = report_of(weights, 0);
  for (int bits = 1; bits <= kMaxIndexBits; ++bits) {
    EXPECT_LE(chosen.pqh_bits, 1.01 * report_of(weights, bits).pqh_bits) << bits;
  }
}

}  // namespace
}  // namespace coppice::codec
