// The built-in digits: the same on every read, balanced, learnable, not trivial.
#include <algorithm>
#include <cmath>
#include <set>

#include "support/test_files.h"

namespace coppice {
namespace {

// What a nearest-mean classifier gets (0.67 measured, 0.1 is chance): below, the digits could not
// be told apart by shape; above, they would be as good as templates.
constexpr double kLeastByMean = 0.55, kMostByMean = 0.85;
// Both statistics are rounded to four digits and measured here on a tenth of the images.
constexpr double kStatisticsTolerance = 0.003;

TEST(Digits, sizes_and_shapes) {
  const auto train = open_dataset("digits", Split::train);
  const auto held_out = open_dataset("digits", Split::test);
  EXPECT_EQ(train->size(), 12000);
  EXPECT_EQ(held_out->size(), 2000);
  EXPECT_EQ(train->classes(), 10);
  EXPECT_EQ(train->name(), "digits");
  EXPECT_EQ(train->read(11999).pixels.shape(), (Shape{1, 28, 28}));
}

TEST(Digits, a_image_is_the_same_whenever_it_is_read) {
  const auto one = open_dataset("digits", Split::train), two = open_dataset("digits", Split::train);
  const Sample later = one->read(77);
  one->read(5);
  EXPECT_EQ(one->read(77).pixels, later.pixels);
  EXPECT_EQ(two->read(77).pixels, later.pixels);
  EXPECT_EQ(two->read(77).label, later.label);
}

TEST(Digits, splits_and_indices_differ) {
  const auto train = open_dataset("digits", Split::train);
  const auto held_out = open_dataset("digits", Split::test);
  std::set<std::string> seen;
  const auto bytes_of = [](const Sample& sample) {
    const auto pixels = sample.pixels.as<uint8_t>();
    return std::string(pixels.begin(), pixels.end());
  };
  for (int64_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(seen.insert(bytes_of(train->read(i))).second);
    EXPECT_TRUE(seen.insert(bytes_of(held_out->read(i))).second);
  }
}

TEST(Digits, every_ten_hold_each_digit_once_in_changing_order) {
  const auto dataset = open_dataset("digits", Split::train);
  std::set<std::vector<int64_t>> orders;
  for (int64_t ten = 0; ten < 20; ++ten) {
    std::vector<int64_t> order;
    for (int64_t i = 0; i < 10; ++i) order.push_back(dataset->read(10 * ten + i).label);
    EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), 10u);
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 15u);
}

TEST(Digits, own_preprocessing_gives_mean_0_and_deviation_1) {
  const auto dataset = open_dataset("digits", Split::train);
  const Preprocessing own = dataset->own_preprocessing().value();
  double sum = 0, squares = 0, count = 0;
  for (int64_t i = 0; i < 1200; ++i) {
    for (const uint8_t pixel : test::pixels_of(dataset->read(i).pixels)) {
      const double value = pixel * static_cast<double>(own.scale);
      sum += value;
      squares += value * value;
      ++count;
    }
  }
  const double mean = sum / count;
  EXPECT_NEAR(mean, own.mean.at(0), kStatisticsTolerance);
  EXPECT_NEAR(std::sqrt(squares / count - mean * mean), own.deviation.at(0), kStatisticsTolerance);
}

TEST(Digits, the_nearest_class_mean_is_often_right_but_not_always) {
  const auto train = open_dataset("digits", Split::train);
  const auto held_out = open_dataset("digits", Split::test);
  std::vector<std::vector<double>> means(10, std::vector<double>(28 * 28));
  for (int64_t i = 0; i < 2000; ++i) {
    const Sample sample = train->read(i);
    const auto pixels = sample.pixels.as<uint8_t>();
    for (size_t k = 0; k < pixels.size(); ++k) means[sample.label][k] += pixels[k] / 200.0;
  }
  int right = 0;
  for (int64_t i = 0; i < 500; ++i) {
    const Sample sample = held_out->read(i);
    const auto pixels = sample.pixels.as<uint8_t>();
    std::vector<double> distances(10);
    for (size_t digit = 0; digit < 10; ++digit) {
      for (size_t k = 0; k < pixels.size(); ++k) {
        distances[digit] += (pixels[k] - means[digit][k]) * (pixels[k] - means[digit][k]);
      }
    }
    right +=
        std::min_element(distances.begin(), distances.end()) - distances.begin() == sample.label;
  }
  EXPECT_GT(right / 500.0, kLeastByMean);
  EXPECT_LT(right / 500.0, kMostByMean);
}

}  // namespace
}  // namespace coppice
