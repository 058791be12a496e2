#include "core/float_bits.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <vector>

namespace coppice {
namespace {

TEST(FloatBits, keys_ascend_where_the_floats_do) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const std::vector<float> ascending = {-kInf, -2.5f, -1e-40f, -0.0f, 0.0f, 1e-40f, 2.5f, kInf};
  for (size_t i = 1; i < ascending.size(); ++i) {
    EXPECT_LT(order_key(std::bit_cast<uint32_t>(ascending[i - 1]), 32),
              order_key(std::bit_cast<uint32_t>(ascending[i]), 32))
        << ascending[i];
  }
}

TEST(FloatBits, a_key_gives_its_pattern_back) {
  for (const int bits : {8, 16}) {
    for (uint32_t pattern = 0; pattern <= all_ones(bits); ++pattern) {
      ASSERT_EQ(pattern_of(order_key(pattern, bits), bits), pattern) << bits << " bits";
    }
  }
}

}  // namespace
}  // namespace coppice
