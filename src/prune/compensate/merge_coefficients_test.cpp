// What leaves as sums of what stays.

#include "prune/compensate/merge_coefficients.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace coppice {
namespace {

Matrix random_factors(int64_t rows, int64_t columns) {
  Random random(5);
  Matrix factors(rows, columns);
  for (double& x : factors.reshaped()) x = random.uniform(-1, 1);
  return factors;
}

TEST(MergeCoefficients, a_channel_that_is_twice_another_goes_there_whole) {
  const Matrix covariance{{1, 0.3, 2}, {0.3, 1, 0.6}, {2, 0.6, 4}};
  const Matrix alpha = merge_coefficients(covariance, {0, 1}, {2});
  EXPECT_NEAR(alpha(0, 0), 2, 1e-6);
  EXPECT_NEAR(alpha(1, 0), 0, 1e-6);
}

TEST(MergeCoefficients, they_solve_the_normal_equations) {
  const Matrix factors = random_factors(5, 8), covariance = factors * factors.transpose();
  const std::vector<int64_t> kept = {0, 1, 3}, removed = {2, 4};
  const Matrix alpha = merge_coefficients(covariance, kept, removed);
  const Matrix rest = covariance(kept, removed) - covariance(kept, kept) * alpha;
  EXPECT_LT(rest.cwiseAbs().maxCoeff(), 1e-5);
}

TEST(MergeCoefficients, equal_channels_that_stay_share_what_leaves) {
  const Matrix alpha = merge_coefficients(Matrix::Ones(3, 3), {0, 1}, {2});
  EXPECT_NEAR(alpha(0, 0), 0.5, 1e-6);
  EXPECT_NEAR(alpha(1, 0), 0.5, 1e-6);
}

TEST(MergeCoefficients, channels_without_variance_get_nothing_and_give_nothing) {
  Matrix covariance = Matrix::Identity(4, 4);
  covariance(0, 0) = covariance(3, 3) = 0;
  EXPECT_EQ(merge_coefficients(covariance, {0, 1}, {2, 3}), Matrix::Zero(2, 2));
}

TEST(MergeCoefficients, nearly_dependent_channels_leave_them_tame) {
  // Forty channels of three factors: the kept ones are dependent but for a millionth.
  const Matrix factors = random_factors(40, 3);
  Matrix covariance = factors * factors.transpose();
  covariance += 1e-6 * Matrix::Identity(40, 40);
  std::vector<int64_t> kept, removed;
  for (int64_t i = 0; i < 40; ++i) (i % 2 == 0 ? kept : removed).push_back(i);
  EXPECT_LT(merge_coefficients(covariance, kept, removed).cwiseAbs().maxCoeff(), 2);
}

}  // namespace
}  // namespace coppice
