// Positions by context come back, near the entropy where zeros are independent and below it where
// rows and columns die.
#include "codec/coders/context_positions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace coppice::codec {
namespace {

std::vector<uint32_t> where(uint64_t elements, const auto& nonzero) {
  std::vector<uint32_t> positions;
  for (uint32_t i = 0; i < elements; ++i) {
    if (nonzero(i)) positions.push_back(i);
  }
  return positions;
}

double entropy_bytes(size_t nonzeros, uint64_t elements) {
  const double p = static_cast<double>(nonzeros) / static_cast<double>(elements);
  return -static_cast<double>(elements) * (p * std::log2(p) + (1 - p) * std::log2(1 - p)) / 8;
}

void expect_back(const std::vector<uint32_t>& positions, uint64_t elements,
                 const Geometry& geometry) {
  const Bytes bytes = encode_context_positions(positions, elements, geometry);
  const PositionList back = decode_context_positions(bytes, positions.size(), elements, geometry);
  ASSERT_TRUE(std::ranges::equal(back.span(), positions));
}

TEST(ContextPositions, any_positions_come_back) {
  Random random(1);
  const std::vector<std::pair<uint64_t, Geometry>> tensors = {
      {1, {1, 1, 1}},      {100, {1, 1, 1}},    {100, {100, 1, 1}},   {90 * 40, {90, 9, 3}},
      {64 * 8, {8, 4, 4}}, {640, {64, 64, 64}}, {7 * 75, {75, 25, 5}}};
  for (const auto& [elements, geometry] : tensors) {
    for (const double density : {0.0, 0.01, 0.3, 0.9, 1.0}) {
      const auto positions = where(elements, [&](uint32_t) { return random.uniform() < density; });
      expect_back(positions, elements, geometry);
    }
  }
}

TEST(ContextPositions, independent_zeros_take_their_entropy_within_one_percent) {
  Random random(2);
  constexpr uint64_t kElements = 1 << 20;
  for (const double density : {0.04, 0.1, 0.33, 0.5}) {
    const auto positions = where(kElements, [&](uint32_t) { return random.uniform() < density; });
    const Bytes bytes = encode_context_positions(positions, kElements, {1024, 1, 1});
    EXPECT_LT(static_cast<double>(bytes.size()), 1.01 * entropy_bytes(positions.size(), kElements));
  }
}

TEST(ContextPositions, dead_columns_and_rows_and_kernels_cost_little) {
  Random random(3);
  constexpr uint64_t kRows = 400, kColumns = 900, kElements = kRows * kColumns;
  const auto share = [&](const auto& alive) {
    const auto positions =
        where(kElements, [&](uint32_t i) { return alive(i) && random.uniform() < 0.4; });
    const Bytes bytes = encode_context_positions(positions, kElements, {kColumns, 9, 3});
    return static_cast<double>(bytes.size()) / entropy_bytes(positions.size(), kElements);
  };
  // Who knew which quarter is alive would need h(0.4) / 4 h(0.1) = 0.518 of the order-0 entropy.
  EXPECT_LT(share([](uint32_t i) { return i % kColumns % 4 == 0; }), 0.53);          // columns
  EXPECT_LT(share([](uint32_t i) { return i / kColumns % 4 == 0; }), 0.53);          // rows
  EXPECT_LT(share([](uint32_t i) { return i / 9 * 2654435769u >> 30 == 0; }), 0.9);  // kernels
}

TEST(ContextPositions, another_number_of_nonzeros_is_refused) {
  const Bytes all_ones, all_zeros(8, std::byte{0xff});
  EXPECT_NO_THROW(decode_context_positions(all_ones, 20, 20, {5, 1, 1}));
  EXPECT_THROW(decode_context_positions(all_ones, 19, 20, {5, 1, 1}), Error);
  EXPECT_NO_THROW(decode_context_positions(all_zeros, 0, 20, {5, 1, 1}));
  EXPECT_THROW(decode_context_positions(all_zeros, 1, 20, {5, 1, 1}), Error);
}

}  // namespace
}  // namespace coppice::codec
