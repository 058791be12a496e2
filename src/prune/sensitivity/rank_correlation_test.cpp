// Spearman's coefficient: textbook numbers, ties, and what no monotone change of a scale moves.
#include "prune/sensitivity/rank_correlation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"

namespace coppice {
namespace {

using Numbers = std::vector<double>;

TEST(RankCorrelation, ties_have_the_mean_of_the_ranks_they_take_up) {
  EXPECT_EQ(ranks_of(Numbers{0.3, 0.1, 0.3, 7}), (Numbers{2.5, 1, 2.5, 4}));
  EXPECT_EQ(ranks_of(Numbers{5, 5, 5}), (Numbers{2, 2, 2}));
}

TEST(RankCorrelation, one_order_is_1_and_the_reverse_is_minus_1) {
  EXPECT_EQ(rank_correlation(Numbers{1, 2, 30}, Numbers{-4, 0, 1}), 1);
  EXPECT_EQ(rank_correlation(Numbers{1, 2, 30}, Numbers{3, 2, 1}), -1);
}

TEST(RankCorrelation, a_textbook_s_table_gives_its_number) {
  // IQ and hours of television: d^2 sums up to 194, so 1 - 6 * 194 / 990 = -29 / 165.
  const Numbers iq = {86, 97, 99, 100, 101, 103, 106, 110, 112, 113};
  const Numbers hours = {2, 20, 28, 27, 50, 29, 7, 17, 6, 12};
  EXPECT_NEAR(*rank_correlation(iq, hours), -29.0 / 165, 1e-12);
}

TEST(RankCorrelation, fewer_than_two_have_none) {
  EXPECT_FALSE(rank_correlation(Numbers{}, Numbers{}));
  EXPECT_FALSE(rank_correlation(Numbers{1}, Numbers{2}));
}

TEST(RankCorrelation, only_the_order_counts) {
  Random random(3);
  Numbers a, b, warped;
  for (int i = 0; i < 200; ++i) {
    a.push_back(random.uniform());
    b.push_back(random.uniform() + a.back());
    warped.push_back(std::exp(9 * b.back()));
  }
  EXPECT_EQ(rank_correlation(a, b), rank_correlation(a, warped));
  EXPECT_GT(*rank_correlation(a, b), 0.5);
}

}  // namespace
}  // namespace coppice
