// One score from many: a mean that can be compared with single scores, and the other reductions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "prune/scores/criteria.h"

namespace coppice {
namespace {

using Members = std::vector<std::vector<double>>;

Members independent(size_t count, size_t units, uint64_t seed) {
  Random random(seed);
  Members members(count, std::vector<double>(units));
  for (auto& member : members) {
    std::vector<float> drawn(units);
    random.fill_normal(drawn, 0.3f);
    for (size_t u = 0; u < units; ++u) member[u] = 1 + drawn[u];
  }
  return members;
}

double share_below(const std::vector<float>& scores, float threshold) {
  const auto below = std::ranges::count_if(scores, [&](float score) { return score < threshold; });
  return static_cast<double>(below) / static_cast<double>(scores.size());
}

TEST(Aggregate, a_mean_of_independent_members_loses_as_many_units_as_a_single_one) {
  constexpr size_t kUnits = 20000;
  const double single = share_below(aggregated(independent(1, kUnits, 1), Aggregate::mean), 0.7f);
  EXPECT_NEAR(single, 0.159, 0.01);  // of a normal distribution, one deviation below
  for (const size_t members : {2, 5, 10, 28}) {
    const auto scores = aggregated(independent(members, kUnits, 2), Aggregate::mean);
    EXPECT_NEAR(share_below(scores, 0.7f), single, 0.015) << members << " members";
  }
}

TEST(Aggregate, the_order_within_a_group_is_the_means) {
  const Members members = independent(7, 300, 3);
  const auto scores = aggregated(members, Aggregate::mean);
  std::vector<double> means(300, 0);
  for (const auto& member : members) {
    for (size_t u = 0; u < means.size(); ++u) means[u] += member[u] / 7;
  }
  for (size_t a = 0; a < means.size(); ++a) {
    for (size_t b = 0; b < means.size(); ++b) {
      EXPECT_TRUE(means[a] >= means[b] - 1e-6 || scores[a] < scores[b]);
    }
  }
}

TEST(Aggregate, members_that_agree_and_single_ones_keep_their_scores) {
  const Members one = independent(1, 50, 4);
  for (const Members& members : {one, Members{one[0], one[0], one[0]}}) {
    const auto scores = aggregated(members, Aggregate::mean);
    for (size_t u = 0; u < scores.size(); ++u) EXPECT_FLOAT_EQ(scores[u], one[0][u]);
  }
}

TEST(Aggregate, members_that_cancel_or_are_zero_give_finite_scores) {
  for (const Members& members : {Members{{1, 2, 3}, {3, 2, 1}}, Members{{0, 0, 0}, {0, 0, 0}}}) {
    const auto scores = aggregated(members, Aggregate::mean);
    for (const float score : scores) EXPECT_FLOAT_EQ(score, scores[0]);
    EXPECT_TRUE(std::isfinite(scores[0]));
  }
}

TEST(Aggregate, a_member_of_zeros_adds_nothing) {
  EXPECT_EQ(normalised({{0, 0}, {1, 3}, {0, 0}}), (Members{{0.5, 1.5}}));
  EXPECT_EQ(normalised({{0, 0}, {0, 0}}), (Members{{0, 0}}));
}

TEST(Aggregate, a_score_may_fall_below_zero) {
  Members members(16, std::vector<double>{0, 1, 1, 1});
  for (size_t k = 0; k < members.size(); ++k) members[k][1 + k % 3] = 1.8;
  EXPECT_LT(aggregated(members, Aggregate::mean)[0], 0);
}

TEST(Aggregate, the_other_reductions_are_what_they_say) {
  const Members members = {{1, 5, 2}, {4, 3, 2}};
  EXPECT_EQ(aggregated(members, Aggregate::max), (std::vector<float>{4, 5, 2}));
  EXPECT_EQ(aggregated(members, Aggregate::sum), (std::vector<float>{5, 8, 4}));
  EXPECT_EQ(aggregated(members, Aggregate::first), (std::vector<float>{1, 5, 2}));
}

}  // namespace
}  // namespace coppice
