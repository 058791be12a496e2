// float16 and float32 as bits, against the conversion's definition.
#include "codec/coders/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace coppice::codec {
namespace {

TEST(Half, every_half_comes_back) {
  for (uint32_t half = 0; half < 65536; ++half) {
    const auto back = half_of_float(float_of_half(static_cast<uint16_t>(half)));
    ASSERT_TRUE(back);
    ASSERT_EQ(*back, half);
  }
}

TEST(Half, values_are_mantissa_times_power_of_two) {
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    const int exponent = static_cast<int>(half >> 10);
    const double mantissa = (half & 1023) + (exponent > 0 ? 1024 : 0);
    ASSERT_EQ(std::bit_cast<float>(float_of_half(static_cast<uint16_t>(half))),
              std::ldexp(mantissa, std::max(exponent, 1) - 25));
  }
}

TEST(Half, what_a_half_cannot_hold_is_none) {
  for (const float value : {1.0f + 0x1p-11f, 65536.0f, 0x1p-25f, 0x1.8p-24f, 1e-40f, -3e38f}) {
    EXPECT_FALSE(half_of_float(std::bit_cast<uint32_t>(value))) << value;
  }
  EXPECT_FALSE(half_of_float(0x7f800001));  // a NaN whose payload would be lost
  EXPECT_EQ(half_of_float(0x80000000), 0x8000);
  EXPECT_EQ(half_of_float(0x7fc00000), 0x7e00);
}

}  // namespace
}  // namespace coppice::codec
