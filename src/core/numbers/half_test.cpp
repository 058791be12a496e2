#include "core/numbers/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace coppice {
namespace {

TEST(Half, every_half_is_a_float_and_comes_back_bit_by_bit) {
  for (const DType type : {DType::f16, DType::bf16}) {
    for (uint32_t half = 0; half < 65536; ++half) {
      const auto bits = static_cast<uint16_t>(half);
      ASSERT_EQ(half_of(float_of(bits, type), type), bits) << half;
    }
  }
}

TEST(Half, a_float_becomes_the_nearest_half_ties_to_even) {
  EXPECT_EQ(float_of(half_of(1.0f + 1.0f / 2048, DType::f16), DType::f16), 1.0f);
  EXPECT_EQ(float_of(half_of(1.0f + 3.0f / 2048, DType::f16), DType::f16), 1.0f + 2.0f / 1024);
  EXPECT_EQ(half_of(std::ldexp(1.0f, -24), DType::f16), 1);
  EXPECT_EQ(half_of(std::ldexp(1.5f, -25), DType::f16), 1);
  EXPECT_EQ(half_of(std::ldexp(1.0f, -26), DType::f16), 0);
  EXPECT_EQ(float_of(half_of(1.0f + 1.0f / 256, DType::bf16), DType::bf16), 1.0f);
}

TEST(Half, what_is_finite_stays_finite) {
  EXPECT_EQ(float_of(half_of(1e6f, DType::f16), DType::f16), 65504.0f);
  EXPECT_EQ(float_of(half_of(-1e6f, DType::f16), DType::f16), -65504.0f);
  EXPECT_TRUE(std::isfinite(float_of(half_of(3.4e38f, DType::bf16), DType::bf16)));
  EXPECT_TRUE(std::isinf(float_of(half_of(INFINITY, DType::f16), DType::f16)));
  EXPECT_TRUE(std::isnan(float_of(half_of(NAN, DType::bf16), DType::bf16)));
}

TEST(Half, tensors_there_and_back) {
  const Tensor floats = Tensor::of<float>({2, 2}, std::vector<float>{0, -1.5f, 0.25f, 1000});
  for (const DType type : {DType::f16, DType::bf16}) {
    const Tensor halves = narrowed(floats, type);
    EXPECT_EQ(halves.dtype(), type);
    EXPECT_EQ(halves.bytes().size(), 8u);
    EXPECT_EQ(widened(halves), floats);
  }
}

}  // namespace
}  // namespace coppice
