// The schedules of masks against the values of their papers' formulas.
#include "methods/sparse_training/mask_schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace coppice {
namespace {

std::vector<int64_t> due(const auto& schedule, int64_t updates) {
  std::vector<int64_t> numbers;
  for (int64_t u = 1; u <= updates; ++u) {
    if (schedule.due(u)) numbers.push_back(u);
  }
  return numbers;
}

TEST(CubicSchedule, has_the_values_of_the_paper_s_formula) {
  const CubicSchedule schedule{
      .initial = 0.1, .final = 0.9, .first = 100, .last = 500, .every = 100};
  EXPECT_EQ(due(schedule, 1000), (std::vector<int64_t>{100, 200, 300, 400, 500}));
  // (1 - 1/4)^3 = 27/64, (1/2)^3 = 1/8, (1/4)^3 = 1/64
  const std::vector<double> expected = {0.1, 0.9 - 0.8 * 27 / 64, 0.8, 0.8875, 0.9};
  for (int64_t event = 0; event < 5; ++event) {
    EXPECT_DOUBLE_EQ(schedule.sparsity(100 * (event + 1)), expected[event]) << event;
  }
  EXPECT_EQ(schedule.sparsity(100), 0.1);
  EXPECT_EQ(schedule.sparsity(500), 0.9);
}

TEST(CubicSchedule, ends_at_the_last_sparsity_whatever_the_frequency) {
  for (const int64_t every : {1, 7, 30, 100, 399, 400, 401, 5000}) {
    for (const int64_t last : {1, 2, 100, 403}) {
      const CubicSchedule schedule{.final = 0.97, .first = 1, .last = last, .every = every};
      const std::vector<int64_t> numbers = due(schedule, 1000);
      ASSERT_FALSE(numbers.empty());
      EXPECT_EQ(numbers.front(), 1);
      EXPECT_EQ(numbers.back(), last) << every;
      EXPECT_EQ(schedule.sparsity(numbers.back()), 0.97);
      double before = 0;
      for (const int64_t update : numbers) {
        EXPECT_GE(schedule.sparsity(update), before) << update;
        before = schedule.sparsity(update);
      }
    }
  }
}

TEST(DropSchedule, falls_as_half_a_cosine_or_stays) {
  DropSchedule schedule{.fraction = 0.3, .every = 100, .last = 1000};
  EXPECT_EQ(due(schedule, 2000).size(), 10u);
  EXPECT_EQ(due(schedule, 2000).back(), 1000);
  EXPECT_NEAR(schedule.share(250), 0.15 * (1 + std::sqrt(0.5)), 1e-12);
  EXPECT_NEAR(schedule.share(500), 0.15, 1e-12);
  EXPECT_NEAR(schedule.share(1000), 0, 1e-12);
  schedule.anneal = DropSchedule::Anneal::constant;
  EXPECT_EQ(schedule.share(100), 0.3);
  EXPECT_EQ(schedule.share(1000), 0.3);
}

TEST(UpdateAt, is_a_share_of_all_and_never_before_the_first) {
  EXPECT_EQ(update_at(0, 400), 1);
  EXPECT_EQ(update_at(0.5, 401), 201);
  EXPECT_EQ(update_at(1, 400), 400);
}

}  // namespace
}  // namespace coppice
