#include "runtime/loops/strided_copy.h"

#include <gtest/gtest.h>

#include <numeric>

namespace coppice::runtime {
namespace {

template <typename T>
std::vector<T> copied(const View& from, const View& to, const std::vector<T>& source, size_t size) {
  std::vector<T> target(size, T{0});
  StridedCopy(from, to, sizeof(T))(reinterpret_cast<const std::byte*>(source.data()),
                                   reinterpret_cast<std::byte*>(target.data()));
  return target;
}

template <typename T>
class StridedCopies : public testing::Test {};
using Widths = testing::Types<uint8_t, uint16_t, float, double>;
TYPED_TEST_SUITE(StridedCopies, Widths);

TYPED_TEST(StridedCopies, transposes_a_matrix) {
  const std::vector<TypeParam> source{1, 2, 3, 4, 5, 6};
  const std::vector<TypeParam> expected{1, 4, 2, 5, 3, 6};
  EXPECT_EQ(copied<TypeParam>({{3, 2}, {1, 3}, 0}, plain_view({3, 2}), source, 6), expected);
}

TYPED_TEST(StridedCopies, takes_every_other_element_backwards_from_an_offset) {
  const std::vector<TypeParam> source{0, 1, 2, 3, 4, 5, 6};
  const std::vector<TypeParam> expected{5, 3, 1};
  EXPECT_EQ(copied<TypeParam>({{3}, {-2}, 5}, plain_view({3}), source, 3), expected);
}

TYPED_TEST(StridedCopies, writes_into_a_window) {
  const std::vector<TypeParam> expected{0, 0, 0, 0, 7, 8, 0, 9, 5};
  EXPECT_EQ(copied<TypeParam>(plain_view({2, 2}), {{2, 2}, {3, 1}, 4}, {7, 8, 9, 5}, 9), expected);
}

TEST(StridedCopy, copies_large_arrays_whole) {
  std::vector<float> source(300000);
  std::iota(source.begin(), source.end(), 0.0f);
  EXPECT_EQ(copied<float>(plain_view({3, 100000}), plain_view({3, 100000}), source, 300000),
            source);
}

TEST(StridedCopy, an_empty_array_and_a_scalar) {
  EXPECT_EQ(copied<float>(plain_view({2, 0}), plain_view({2, 0}), {}, 1), std::vector<float>{0});
  EXPECT_EQ(copied<float>(plain_view({}), plain_view({}), {3}, 1), std::vector<float>{3});
}

}  // namespace
}  // namespace coppice::runtime
