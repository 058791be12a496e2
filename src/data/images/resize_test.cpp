// Resizing against values worked out by hand from the formula in resize.cpp.
#include "data/images/resize.h"

#include "support/test_files.h"

namespace coppice {
namespace {

// Sums of a few products of floats below 256.
constexpr float kTolerance = 1e-4f;

std::vector<float> resized(const Shape& shape, const std::vector<float>& values, int64_t height,
                           int64_t width) {
  const Tensor result = resize_bilinear(Tensor::of<float>(shape, values), height, width);
  EXPECT_EQ(result.shape(), (Shape{shape[0], height, width}));
  return {result.as<float>().begin(), result.as<float>().end()};
}

void expect_near(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], kTolerance) << i;
}

TEST(Resize, enlarging_interpolates_between_pixel_centres) {
  expect_near(resized({1, 1, 2}, {0, 100}, 1, 4), {0, 25, 75, 100});
  expect_near(resized({1, 2, 1}, {0, 100}, 4, 1), {0, 25, 75, 100});
}

TEST(Resize, shrinking_weights_every_source_pixel_by_a_triangle) {
  // 4 to 2: weights .75 .75 .25 over 1.75.  3 to 2: weights 5/6, 1/2 over 4/3.
  expect_near(resized({1, 1, 4}, {0, 70, 140, 210}, 1, 2), {50, 160});
  expect_near(resized({1, 1, 3}, {0, 8, 16}, 1, 2), {3, 13});
  expect_near(resized({1, 2, 2}, {1, 2, 3, 4}, 1, 1), {2.5});
}

TEST(Resize, channels_are_kept_apart_and_both_axes_combine) {
  expect_near(resized({2, 1, 2}, {0, 100, 8, 8}, 2, 4),
              {0, 25, 75, 100, 0, 25, 75, 100, 8, 8, 8, 8, 8, 8, 8, 8});
}

TEST(Resize, bytes_are_rounded_to_nearest) {
  const Tensor pixels = Tensor::of<uint8_t>({1, 1, 2}, std::vector<uint8_t>{0, 102});
  EXPECT_EQ(test::pixels_of(resize_bilinear(pixels, 1, 4)),
            (std::vector<uint8_t>{0, 26, 77, 102}));  // 25.5 and 76.5
}

TEST(Resize, a_flat_image_stays_flat_at_any_size) {
  const Tensor pixels = Tensor::of<uint8_t>({1, 7, 5}, std::vector<uint8_t>(35, 255));
  for (int64_t height = 1; height < 20; ++height) {
    for (int64_t width = 1; width < 20; width += 3) {
      const Tensor result = resize_bilinear(pixels, height, width);
      EXPECT_EQ(test::pixels_of(result), std::vector<uint8_t>(height * width, 255));
    }
  }
}

TEST(Resize, the_same_size_shares_the_bytes) {
  const Tensor pixels = Tensor::of<uint8_t>({1, 1, 2}, std::vector<uint8_t>{1, 2});
  EXPECT_EQ(resize_bilinear(pixels, 1, 2).bytes().data(), pixels.bytes().data());
}

}  // namespace
}  // namespace coppice
