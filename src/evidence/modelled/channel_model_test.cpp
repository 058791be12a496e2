// Moments on the grid against sums over random draws.

#include "evidence/modelled/channel_model.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <functional>

#include "core/random.h"

namespace coppice {
namespace {

Moments three_channels() {
  Matrix root(3, 3);
  root << 1.5, 0, 0, 0.9, 0.4, 0, -0.3, 0.2, 0.1;
  return {Vector{{0.3, -0.5, 1.0}}, root * root.transpose()};
}

Moments drawn(const Moments& normal, const std::function<double(double)>& f) {
  constexpr int64_t kDraws = 400'000;
  const Matrix root = normal.covariance.llt().matrixL();
  Random random(7);
  std::vector<float> draw(3);
  Moments sums{Vector::Zero(3), Matrix::Zero(3, 3)};
  for (int64_t i = 0; i < kDraws; ++i) {
    random.fill_normal(draw, 1);
    const Vector z = Eigen::Map<Eigen::VectorXf>(draw.data(), 3).cast<double>();
    const Vector x = (normal.mean + root * z).unaryExpr(f);
    sums.mean += x / kDraws;
    sums.covariance += x * x.transpose() / kDraws;
  }
  sums.covariance -= sums.mean * sums.mean.transpose();
  return sums;
}

class Activations : public testing::TestWithParam<double (*)(double)> {};

TEST_P(Activations, moments_are_those_of_random_draws) {
  ChannelModel model = normal_channels(three_channels(), 1);
  model.samples = model.samples.unaryExpr(GetParam()).eval();
  model.normal = false;
  const Moments found = moments_of(model), expected = drawn(three_channels(), GetParam());
  EXPECT_LT((found.mean - expected.mean).cwiseAbs().maxCoeff(), 0.01);
  EXPECT_LT((found.covariance - expected.covariance).cwiseAbs().maxCoeff(), 0.02);
}

INSTANTIATE_TEST_SUITE_P(ChannelModel, Activations,
                         testing::Values([](double x) { return x; },
                                         [](double x) { return std::max(x, 0.0); },
                                         [](double x) { return std::clamp(x, 0.0, 1.0); },
                                         [](double x) { return x < 0 ? 0.1 * x : x; },
                                         [](double x) { return x / (1 + std::exp(-x)); }));

TEST(ChannelModel, of_relu_the_mean_is_the_formula) {
  ChannelModel model = normal_channels({Vector{{0.7}}, Matrix{{4.0}}}, 1);
  model.samples = model.samples.cwiseMax(0).eval();
  model.normal = false;
  const double at = 0.7 / 2;
  const double density = std::exp(-at * at / 2) / std::sqrt(2 * std::acos(-1.0));
  const double below = 0.5 * std::erfc(-at / std::sqrt(2.0));
  EXPECT_NEAR(moments_of(model).mean[0], 0.7 * below + 2 * density, 1e-3);
}

TEST(ChannelModel, a_channel_that_does_not_vary_has_exactly_no_variance) {
  const Moments moments =
      moments_of(normal_channels({Vector{{0.1, 2}}, Matrix{{0, 0}, {0, 1}}}, 1));
  EXPECT_EQ(moments.mean[0], 0.1);
  EXPECT_EQ(moments.covariance(0, 0), 0);
  EXPECT_EQ(moments.covariance(0, 1), 0);
}

TEST(ChannelModel, two_equal_channels_covary_as_much_as_they_vary) {
  ChannelModel model = normal_channels({Vector{{0.2, 0.4}}, Matrix{{1, 2}, {2, 4}}}, 1);
  model.samples = model.samples.cwiseMax(0).eval();
  model.normal = false;
  const Matrix covariance = moments_of(model).covariance;
  EXPECT_NEAR(covariance(0, 1), 2 * covariance(0, 0), 1e-9);
  EXPECT_NEAR(covariance(1, 1), 4 * covariance(0, 0), 1e-9);
}

TEST(ChannelModel, the_largest_of_four_copies_is_that_of_random_draws) {
  const ChannelModel model = normal_channels({Vector{{1.0}}, Matrix{{4.0}}}, 1);
  const Moments found = moments_of(largest_of(model, 4, 0.5));
  Random random(3);
  double sum = 0, squares = 0;
  constexpr int64_t kDraws = 200'000;
  std::vector<float> z(5);
  for (int64_t i = 0; i < kDraws; ++i) {
    random.fill_normal(z, 1);
    const double x = 1 + 2 * (std::sqrt(0.5) * z[4] +
                              std::sqrt(0.5) * *std::max_element(z.begin(), z.begin() + 4));
    sum += x / kDraws;
    squares += x * x / kDraws;
  }
  EXPECT_NEAR(found.mean[0], sum, 0.02);
  EXPECT_NEAR(found.covariance(0, 0), squares - sum * sum, 0.05);
}

}  // namespace
}  // namespace coppice
