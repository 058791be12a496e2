#include "core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace coppice {
namespace {

TEST(Random, is_split_mix_64) {
  Random random(1234567);  // the published test vector of the generator
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(Random, numbers_below_a_bound_are_all_as_frequent) {
  Random random(1);
  std::vector<int> counts(6);
  for (int i = 0; i < 60000; ++i) ++counts[random.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 450);  // 5 deviations
}

TEST(Random, normal_numbers_have_mean_0_and_deviation_1) {
  Random random(2);
  std::vector<double> numbers(100000);
  for (double& number : numbers) number = random.normal();
  const double mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / 1e5;
  double squares = 0;
  for (const double number : numbers) squares += number * number;
  EXPECT_NEAR(mean, 0, 0.016);
  EXPECT_NEAR(squares / 1e5, 1, 0.023);
}

TEST(Random, a_permutation_holds_every_number_once) {
  Random random(3);
  for (const int64_t count : {0, 1, 2, 1000}) {
    std::vector<int64_t> numbers = random.permutation(count), expected(numbers.size());
    std::iota(expected.begin(), expected.end(), 0);
    std::ranges::sort(numbers);
    EXPECT_EQ(numbers, expected);
  }
}

TEST(Random, streams_of_different_keys_differ_and_of_equal_ones_are_equal) {
  std::set<uint64_t> first;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (uint64_t epoch = 0; epoch < 10; ++epoch) {
      for (uint64_t image = 0; image < 10; ++image) {
        first.insert(Random::stream(seed, {epoch, image}).next());
      }
    }
  }
  EXPECT_EQ(first.size(), 1000u);
  EXPECT_EQ(Random::stream(1, {2, 3}).next(), Random::stream(1, {2, 3}).next());
}

}  // namespace
}  // namespace coppice
