// Bits come back at any widths; reading past the end gives zeros and is noticed.
#include "codec/coders/bits.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace coppice::codec {
namespace {

TEST(Bits, numbers_of_any_width_come_back) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<uint32_t, int>> numbers;
    BitWriter writer;
    size_t all_bits = 0;
    for (uint64_t i = random.below(300); i > 0; --i) {
      const int bits = static_cast<int>(random.below(33));
      const auto number = static_cast<uint32_t>(random.next() & ((uint64_t{1} << bits) - 1));
      numbers.emplace_back(number, bits);
      writer.put(number, bits);
      all_bits += static_cast<size_t>(bits);
    }
    const Bytes bytes = writer.finish();
    ASSERT_EQ(bytes.size(), (all_bits + 7) / 8);
    BitReader reader(bytes);
    for (const auto& [number, bits] : numbers) ASSERT_EQ(reader.get(bits), number);
    EXPECT_FALSE(reader.overrun());
    reader.get(8);
    EXPECT_TRUE(reader.overrun());
    EXPECT_EQ(reader.get(32), 0u);
  }
}

TEST(Bits, the_first_bit_is_the_lowest) {
  BitWriter writer;
  writer.put(1, 1);
  writer.put(2, 3);
  EXPECT_EQ(writer.finish(), Bytes{std::byte{5}});
}

}  // namespace
}  // namespace coppice::codec
