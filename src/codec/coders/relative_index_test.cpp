// Relative indices: every kind of gap, sizes by histogram, and what hostile indices may do.
#include "codec/coders/relative_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace coppice::codec {
namespace {

// Encodes, checks the sizes that the histogram foretold, decodes, and drops the fillers.
void expect_back(const std::vector<uint32_t>& positions, uint64_t elements, int bits) {
  const RelativeSizes sizes = relative_sizes(gaps_of(positions), bits);
  const RelativeEntries entries = relative_entries(positions, bits);
  ASSERT_EQ(entries.indices.size(), positions.size() + sizes.fillers);
  ASSERT_EQ(sizes.packed_bits, entries.indices.size() * static_cast<uint64_t>(bits));
  ASSERT_LE(sizes.huffman_bits, sizes.packed_bits);
  for (const IndexCoding coding : {IndexCoding::packed, IndexCoding::huffman}) {
    const Bytes bytes = encode_relative(entries, sizes, coding);
    ByteReader reader(bytes);
    const PositionList all = decode_relative(reader, entries.indices.size(), elements);
    EXPECT_EQ(reader.left(), 0u);
    std::vector<uint32_t> back;
    for (size_t i = 0; i < entries.indices.size(); ++i) {
      if (!entries.filler[i]) back.push_back(all.span()[i]);
    }
    ASSERT_EQ(back, positions);
  }
}

TEST(RelativeIndex, gaps_around_every_power_come_back) {
  for (int bits = 1; bits <= kMaxIndexBits; ++bits) {
    const uint32_t most = uint32_t{1} << bits;
    for (const uint32_t gap :
         {1u, most - 1, most, most + 1, 2 * most, 2 * most + 1, 5 * most + 3}) {
      if (gap == 0) continue;
      expect_back({gap - 1}, gap, bits);                           // the first gap
      expect_back({0, gap, 2 * gap}, 2 * gap + 100 * most, bits);  // and zeros at the end
    }
  }
}

TEST(RelativeIndex, fillers_are_counted_as_the_paper_draws_them) {
  // Figure 2: three bits, nonzeros at 1, 4 and 15: the gap of 11 takes a filler at position 12.
  const RelativeEntries entries = relative_entries(std::vector<uint32_t>{1, 4, 15}, 3);
  EXPECT_EQ(entries.indices, (std::vector<uint32_t>{1, 2, 7, 2}));
  EXPECT_EQ(entries.filler, (std::vector<bool>{false, false, true, false}));
}

TEST(RelativeIndex, random_positions_come_back) {
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    const double density = random.uniform() * random.uniform();
    std::vector<uint32_t> positions;
    for (uint32_t i = 0; i < 5000; ++i) {
      if (random.uniform() < density) positions.push_back(i);
    }
    if (positions.empty()) continue;
    expect_back(positions, 5000, 1 + static_cast<int>(random.below(kMaxIndexBits)));
  }
  expect_back({0, 70000, 5'000'000}, 5'000'001, 12);
}

TEST(RelativeIndex, fillers_of_independent_zeros_follow_the_formula) {
  constexpr double kDensity = 0.08;
  constexpr int kBits = 5;
  Random random(2);
  std::vector<uint32_t> positions;
  for (uint32_t i = 0; i < 2'000'000; ++i) {
    if (random.uniform() < kDensity) positions.push_back(i);
  }
  const double skipped = std::pow(1 - kDensity, 1 << kBits), expected = skipped / (1 - skipped);
  const RelativeSizes sizes = relative_sizes(gaps_of(positions), kBits);
  EXPECT_NEAR(static_cast<double>(sizes.fillers) / static_cast<double>(positions.size()), expected,
              0.003);
}

TEST(RelativeIndex, indices_that_leave_the_tensor_or_end_early_are_refused) {
  const std::vector<uint32_t> positions = {3, 9};
  const RelativeEntries entries = relative_entries(positions, 4);
  const Bytes bytes =
      encode_relative(entries, relative_sizes(gaps_of(positions), 4), IndexCoding::packed);
  ByteReader a(bytes), b(bytes);
  EXPECT_THROW(decode_relative(a, 2, 9), Error);
  EXPECT_THROW(decode_relative(b, 3, 100), Error);
  Bytes wide = bytes;
  wide[0] = std::byte{13};
  ByteReader c(wide);
  EXPECT_THROW(decode_relative(c, 2, 100), Error);
}

}  // namespace
}  // namespace coppice::codec
