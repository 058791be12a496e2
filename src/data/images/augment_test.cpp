// Augmentation: keyed by image, exact where nothing is interpolated, evenly drawn.
#include "data/images/augment.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;
using test::pixels_of;

constexpr uint64_t kDraws = 2000;

// Every value differs from its neighbours, and none is 0.
Tensor image_u8(const Shape& shape) {
  std::vector<uint8_t> values(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint8_t>(1 + i * 37 % 255);
  return Tensor::of<uint8_t>(shape, values);
}

// For a model that takes images as they are.
Tensor augmented(const Tensor& pixels, const Augmentation& how, const ImageKey& key) {
  return augment(pixels, how, key, {pixels.shape()[1], pixels.shape()[2]});
}

Tensor to_f32(const Tensor& pixels) {
  const auto bytes = pixels.as<uint8_t>();
  return Tensor::of<float>(pixels.shape(), std::vector<float>(bytes.begin(), bytes.end()));
}

Tensor mirrored(const Tensor& pixels) {
  Tensor result = Tensor::of<uint8_t>(pixels.shape(), pixels_of(pixels));
  const int64_t width = pixels.shape()[2];
  const auto values = result.mutate<uint8_t>();
  for (auto row = values.begin(); row != values.end(); row += width) std::reverse(row, row + width);
  return result;
}

// The plain definition: pixel by pixel, (top, left) from -pad to pad.
Tensor shifted(const Tensor& pixels, int64_t top, int64_t left) {
  const Shape& shape = pixels.shape();
  Tensor result = Tensor::zeros(DType::u8, shape);
  const auto target = result.mutate<uint8_t>();
  for (int64_t i = 0; i < pixels.size(); ++i) {
    const int64_t x = i % shape[2] + left, y = i / shape[2] % shape[1] + top;
    if (x < 0 || x >= shape[2] || y < 0 || y >= shape[1]) continue;
    target[i] = pixels.as<uint8_t>()[i + top * shape[2] + left];
  }
  return result;
}

// No cell may be further than five standard deviations from the share it should have.
void expect_even(const std::vector<int64_t>& counts, uint64_t draws) {
  const double share = 1 / static_cast<double>(counts.size());
  const double expected = static_cast<double>(draws) * share;
  const double deviation = std::sqrt(expected * (1 - share));
  for (const int64_t count : counts) {
    EXPECT_NEAR(static_cast<double>(count), expected, 5 * deviation);
  }
}

TEST(Augment, none_gives_the_image_itself) {
  const Tensor pixels = image_u8({3, 5, 4});
  const Tensor same = augmented(pixels, {}, {1, 2, 3});
  EXPECT_EQ(same, pixels);
  EXPECT_EQ(same.bytes().data(), pixels.bytes().data());
}

TEST(Augment, the_same_key_gives_the_same_bytes_and_any_other_key_others) {
  const Tensor pixels = image_u8({3, 32, 32});
  for (const char* text : {"pad=4,flip", "area=0.08,flip", "pad=2,area=0.5"}) {
    const Augmentation how = parse_augmentation(text);
    const Tensor first = augmented(pixels, how, {1, 2, 3});
    EXPECT_EQ(augmented(pixels, how, {1, 2, 3}), first) << text;
    // Single keys may draw alike by chance; ten in a row don't.
    int seed = 0, epoch = 0, index = 0;
    for (uint64_t i = 10; i < 20; ++i) {
      seed += augmented(pixels, how, {i, 2, 3}) == first;
      epoch += augmented(pixels, how, {1, i, 3}) == first;
      index += augmented(pixels, how, {1, 2, i}) == first;
    }
    EXPECT_LT(seed, 5) << text;
    EXPECT_LT(epoch, 5) << text;
    EXPECT_LT(index, 5) << text;
  }
}

TEST(Augment, padding_gives_every_window_about_equally_often) {
  const Tensor pixels = image_u8({2, 3, 5});
  constexpr int64_t kPad = 2, kPlaces = 2 * kPad + 1;
  std::vector<Tensor> windows;
  for (int64_t i = 0; i < kPlaces * kPlaces; ++i) {
    windows.push_back(shifted(pixels, i / kPlaces - kPad, i % kPlaces - kPad));
  }
  std::vector<int64_t> counts(windows.size());
  for (uint64_t i = 0; i < kDraws; ++i) {
    const Tensor drawn = augmented(pixels, {.pad = kPad}, {0, 0, i});
    const auto found = std::find(windows.begin(), windows.end(), drawn);
    ASSERT_NE(found, windows.end()) << i;
    ++counts[found - windows.begin()];
  }
  expect_even(counts, kDraws);
}

TEST(Augment, every_second_image_is_mirrored_row_by_row) {
  const Tensor pixels = image_u8({3, 4, 7}), mirror = mirrored(pixels);
  std::vector<int64_t> counts(2);
  for (uint64_t i = 0; i < kDraws; ++i) {
    const Tensor drawn = augmented(pixels, {.flip = Augmentation::Flip::on}, {0, 0, i});
    ASSERT_TRUE(drawn == pixels || drawn == mirror);
    ++counts[drawn == mirror];
  }
  expect_even(counts, kDraws);
}

TEST(Augment, a_mirrored_window_is_the_mirror_of_a_window) {
  const Tensor pixels = image_u8({1, 4, 6});
  int mirrors = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    const ImageKey key{3, 1, i};
    const Tensor plain = augmented(pixels, {.pad = 3}, key);
    const Tensor drawn = augmented(pixels, {.pad = 3, .flip = Augmentation::Flip::on}, key);
    EXPECT_TRUE(drawn == plain || drawn == mirrored(plain));
    mirrors += drawn == mirrored(plain);
  }
  EXPECT_GT(mirrors, 20);
  EXPECT_LT(mirrors, 80);
}

TEST(Augment, more_padding_than_image_may_leave_nothing_of_it) {
  const Tensor pixels = image_u8({1, 1, 1});
  int64_t black = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    const Tensor drawn = augmented(pixels, {.pad = 5, .flip = Augmentation::Flip::on}, {0, 0, i});
    ASSERT_TRUE(drawn == pixels || drawn == Tensor::zeros(DType::u8, {1, 1, 1}));
    black += !(drawn == pixels);
  }
  EXPECT_GT(black, 90);
}

TEST(Augment, floats_move_as_bytes_do) {
  const Tensor pixels = image_u8({3, 9, 8}), floats = to_f32(pixels);
  for (uint64_t i = 0; i < 50; ++i) {
    const ImageKey key{5, 6, i};
    const Augmentation how{.pad = 3, .flip = Augmentation::Flip::on};
    EXPECT_EQ(augmented(floats, how, key), to_f32(augmented(pixels, how, key)));
    const Tensor area = augmented(floats, {.least_area = 0.2}, key);
    const Tensor rounded = augmented(pixels, {.least_area = 0.2}, key);
    for (int64_t v = 0; v < pixels.size(); ++v) {
      ASSERT_NEAR(area.as<float>()[v], rounded.as<uint8_t>()[v], 0.51);
    }
  }
}

TEST(Augment, areas_keep_the_shape_whatever_it_is) {
  for (const Shape& shape : {Shape{3, 32, 32}, {1, 1, 1}, {3, 2, 300}, {1, 200, 1}, {3, 50, 70}}) {
    for (const double least : {1e-300, 0.08, 0.99}) {
      for (uint64_t i = 0; i < 20; ++i) {
        const Tensor drawn = augmented(image_u8(shape), {.least_area = least}, {0, 0, i});
        ASSERT_EQ(drawn.shape(), shape);
        ASSERT_EQ(drawn.dtype(), DType::u8);
      }
    }
  }
}

// Ramps along x and y: their slopes after resizing tell which share of each side the
// window took.
TEST(Augment, areas_and_aspects_are_within_their_bounds) {
  constexpr int64_t kHeight = 64, kStep = 20;
  constexpr double kLeast = 0.2;
  for (const int64_t width : {64, 200}) {
    const int64_t plane = kHeight * width;
    std::vector<float> ramps(2 * plane);
    for (int64_t i = 0; i < plane; ++i) {
      ramps[i] = static_cast<float>(i % width);
      ramps[plane + i] = static_cast<float>(i / width);
    }
    const Tensor pixels = Tensor::of<float>({2, kHeight, width}, ramps);
    double smallest = 1, largest = 0, area_sum = 0, log_aspect_sum = 0;
    std::set<float> corners;
    for (uint64_t i = 0; i < kDraws; ++i) {
      const Tensor drawn = augmented(pixels, {.least_area = kLeast}, {0, 0, i});
      const auto at = [&](int64_t c, int64_t y, int64_t x) {
        return drawn.as<float>()[c * plane + y * width + x];
      };
      const double across = (at(0, 20, 20 + kStep) - at(0, 20, 20)) / kStep;
      const double down = (at(1, 20 + kStep, 20) - at(1, 20, 20)) / kStep;
      const double area = across * down, aspect = across / down;
      // Sides are whole pixels, at least 24 of them here: half a pixel is 2 percent.
      EXPECT_GT(area, kLeast * 0.95);
      EXPECT_LT(area, 1.0001);
      EXPECT_GT(aspect, 0.75 * 0.96);
      EXPECT_LT(aspect, 1.04 / 0.75);
      smallest = std::min(smallest, area);
      largest = std::max(largest, area);
      area_sum += area;
      log_aspect_sum += std::log(aspect);
      corners.insert(at(0, 0, 0));
    }
    EXPECT_LT(smallest, 0.23);
    EXPECT_GT(largest, 0.9);
    // Uniform would be 0.6; large areas of a long aspect don't fit and are drawn anew.
    EXPECT_NEAR(area_sum / static_cast<double>(kDraws), 0.57, 0.04);
    EXPECT_NEAR(log_aspect_sum / static_cast<double>(kDraws), 0, 0.02);
    EXPECT_GT(corners.size(), 20u);
  }
}

// Of a photograph, by a model of another shape: the window is resized to the model's input and
// nothing of it is lost, and its aspect is that of the input, up to 4/3.
TEST(Augment, areas_become_what_the_model_takes_without_stretching_more_than_a_third) {
  const int64_t height = 90, width = 160, plane = height * width;
  std::vector<float> ramps(2 * plane);
  for (int64_t i = 0; i < plane; ++i) {
    ramps[i] = static_cast<float>(i % width);
    ramps[plane + i] = static_cast<float>(i / width);
  }
  const Tensor pixels = Tensor::of<float>({2, height, width}, ramps);
  for (const ImageSize input : {ImageSize{32, 32}, ImageSize{30, 60}}) {
    double smallest = 1, largest = 0;
    for (uint64_t i = 0; i < 400; ++i) {
      const Tensor drawn = augment(pixels, {.least_area = 0.1}, {0, 0, i}, input);
      ASSERT_EQ(drawn.shape(), (Shape{2, input.height, input.width}));
      // Pixels of the image in one of the input, in the middle, where no edge disturbs.
      const auto slope = [&](int64_t channel, int64_t step) {
        const int64_t from =
            channel * input.height * input.width + input.height / 2 * input.width + input.width / 2;
        return static_cast<double>(drawn.as<float>()[from + 4 * step] - drawn.as<float>()[from]) /
               4;
      };
      const double across = slope(0, 1), down = slope(1, input.width);
      EXPECT_GT(across / down, 0.75 * 0.95);
      EXPECT_LT(across / down, 1.05 / 0.75);
      const double area = across * down * static_cast<double>(input.height * input.width) /
                          static_cast<double>(plane);
      smallest = std::min(smallest, area);
      largest = std::max(largest, area);
    }
    EXPECT_LT(smallest, 0.15);
    EXPECT_GT(largest, 0.6) << "a square of a 16:9 image is at most 0.75 of it";
  }
}

TEST(Augment, an_area_that_never_fits_is_the_largest_window_in_the_middle) {
  // 20 to 1: no window of nearly the whole area has an aspect below 4/3.
  std::vector<float> ramp(400 * 20);
  for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i % 400);
  const Tensor drawn = augment(Tensor::of<float>({1, 20, 400}, ramp), {.least_area = 0.99},
                               {0, 0, 1}, {.height = 20, .width = 27});
  EXPECT_NEAR(drawn.as<float>()[0], 182, 1) << "the first of 36 columns, 4/3 of 27";
  EXPECT_NEAR(drawn.as<float>()[26], 217, 1);
}

TEST(Augment, text_is_read_and_printed_back) {
  const Augmentation all{.pad = 4, .flip = Augmentation::Flip::on, .least_area = 0.08};
  EXPECT_EQ(parse_augmentation("none"), Augmentation{});
  EXPECT_EQ(parse_augmentation("pad=0,area=1"), Augmentation{});
  EXPECT_EQ(parse_augmentation("flip,area=0.08,pad=4"), all);
  EXPECT_EQ(parse_augmentation("area=.08"), Augmentation{.least_area = 0.08});
  EXPECT_EQ(parse_augmentation("pad=3,pad=8192"), Augmentation{.pad = 8192});
  for (const char* text : {"none", "pad=4,flip", "area=0.08,flip", "flip", "pad=2,area=1e-05"}) {
    EXPECT_EQ(to_string(parse_augmentation(text)), text);
  }
  const Augmentation odd{.least_area = 0.1 + 0.2};
  EXPECT_EQ(parse_augmentation(to_string(odd)), odd);
}

TEST(Augment, a_bad_text_names_the_token_and_what_is_allowed) {
  for (const char* token :
       {"", "crop", "pad", "pad4", "flip=on", "area", "none", "Flip", " flip"}) {
    expect_error(ErrorKind::usage,
                 {"augmentation", "'" + std::string(token) + "'", "none", "pad=N", "area=X"},
                 [&] { parse_augmentation("flip," + std::string(token)); });
  }
  expect_error(ErrorKind::usage, {"''", "pad=N"}, [] { parse_augmentation(""); });
  for (const char* token : {"pad=", "pad=-1", "pad=4x", "pad=1.5", "pad=8193"}) {
    expect_error(ErrorKind::usage, {"'" + std::string(token) + "'", "0 (none) to 8192"},
                 [&] { parse_augmentation(token); });
  }
  for (const char* token : {"area=", "area=0", "area=-0.5", "area=1.01", "area=nan", "area=0,5"}) {
    const std::string bad = std::string(token).substr(0, std::string(token).find(','));
    expect_error(ErrorKind::usage, {"'" + bad + "'", "above 0", "1 (none)"},
                 [&] { parse_augmentation(token); });
  }
}

}  // namespace
}  // namespace coppice
