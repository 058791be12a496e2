// The learning rate's factor over a training, as a function of the update's number.
#include "training/recipe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace coppice {
namespace {

using Kind = Schedule::Kind;

// Factors are products and cosines of shares near 1: a few units in the last place.
constexpr double kRounding = 1e-12;

TEST(ScheduleFactor, cosine_begins_at_one_halves_in_the_middle_and_ends_near_zero) {
  const Schedule cosine{.kind = Kind::cosine};
  EXPECT_EQ(schedule_factor(cosine, 0, 1000, 100), 1);
  EXPECT_NEAR(schedule_factor(cosine, 500, 1000, 100), 0.5, kRounding);
  const double last = schedule_factor(cosine, 999, 1000, 100);
  EXPECT_NEAR(last, (1 - std::cos(std::numbers::pi / 1000)) / 2, kRounding);
  EXPECT_GT(last, 0);
  for (int64_t step = 1; step < 1000; ++step) {
    ASSERT_LT(schedule_factor(cosine, step, 1000, 100),
              schedule_factor(cosine, step - 1, 1000, 100));
  }
}

TEST(ScheduleFactor, a_warm_up_rises_linearly_to_one_and_the_cosine_begins_after_it) {
  const Schedule schedule{.kind = Kind::cosine, .warm_up = 2};
  for (int64_t step = 0; step < 20; ++step) {
    EXPECT_NEAR(schedule_factor(schedule, step, 100, 10), static_cast<double>(step + 1) / 20,
                kRounding);
  }
  EXPECT_EQ(schedule_factor(schedule, 20, 100, 10), 1);
  EXPECT_NEAR(schedule_factor(schedule, 60, 100, 10), 0.5, kRounding);
  EXPECT_LT(schedule_factor(schedule, 99, 100, 10), 0.001);
}

TEST(ScheduleFactor, a_warm_up_may_be_a_part_of_an_epoch) {
  const Schedule schedule{.kind = Kind::constant, .warm_up = 0.25};
  EXPECT_EQ(schedule_factor(schedule, 0, 40, 16), 0.25);
  EXPECT_EQ(schedule_factor(schedule, 3, 40, 16), 1);
  EXPECT_EQ(schedule_factor(schedule, 4, 40, 16), 1);
  // So short that no update is left of it.
  EXPECT_EQ(schedule_factor({.kind = Kind::constant, .warm_up = 0.01}, 0, 40, 16), 1);
}

TEST(ScheduleFactor, a_warm_up_longer_than_the_training_never_gets_to_one) {
  const Schedule schedule{.kind = Kind::cosine, .warm_up = 4};
  EXPECT_EQ(schedule_factor(schedule, 19, 20, 10), 0.5);
}

TEST(ScheduleFactor, step_falls_exactly_at_its_milestones) {
  const Schedule schedule{.kind = Kind::step, .milestones = {0.5, 0.75}, .factor = 0.1};
  EXPECT_EQ(schedule_factor(schedule, 49, 100, 10), 1);
  EXPECT_NEAR(schedule_factor(schedule, 50, 100, 10), 0.1, kRounding);
  EXPECT_NEAR(schedule_factor(schedule, 74, 100, 10), 0.1, kRounding);
  EXPECT_NEAR(schedule_factor(schedule, 75, 100, 10), 0.01, kRounding);
  EXPECT_NEAR(schedule_factor(schedule, 99, 100, 10), 0.01, kRounding);
}

TEST(ScheduleFactor, milestones_are_shares_of_what_comes_after_the_warm_up) {
  const Schedule schedule{.kind = Kind::step, .milestones = {0.5}, .factor = 0.1, .warm_up = 2};
  EXPECT_EQ(schedule_factor(schedule, 59, 100, 10), 1);
  EXPECT_NEAR(schedule_factor(schedule, 60, 100, 10), 0.1, kRounding);
}

TEST(ScheduleFactor, constant_is_one_from_first_to_last) {
  const Schedule schedule{.kind = Kind::constant};
  for (int64_t step = 0; step < 100; ++step) EXPECT_EQ(schedule_factor(schedule, step, 100, 10), 1);
}

TEST(ScheduleFactor, a_training_of_one_update_takes_the_whole_rate) {
  for (const Kind kind : {Kind::cosine, Kind::step, Kind::constant}) {
    EXPECT_EQ(schedule_factor({.kind = kind}, 0, 1, 1), 1);
  }
}

TEST(NormMomentum, leaves_at_most_a_twentieth_of_old_statistics_after_an_epoch) {
  for (const int64_t updates : {1, 5, 20, 28}) {
    const double kept = norm_momentum_of({}, updates).of(0.99);
    EXPECT_NEAR(std::pow(kept, updates), 0.05, 1e-12) << updates;
  }
  EXPECT_EQ(norm_momentum_of({}, 400).of(0.99), 0.9);
}

TEST(NormMomentum, is_the_files_where_that_is_less_and_what_was_given_in_any_case) {
  EXPECT_EQ(norm_momentum_of({}, 400).of(0.5), 0.5);
  EXPECT_EQ(NormMomentum{}.of(0.99), 0.99);
  Recipe recipe;
  recipe.norm_momentum = 0.999;
  EXPECT_EQ(norm_momentum_of(recipe, 5).of(0.5), 0.999);
}

}  // namespace
}  // namespace coppice
