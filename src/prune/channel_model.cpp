// See channel_model.h. The grid is fine enough that a kink, as Relu has, costs below 1e-3 of a
// deviation (channel_model_test.cpp).
#include "prune/channel_model.h"

#include <algorithm>
#include <cmath>

namespace coppice {
namespace {

constexpr int64_t kPoints = 321;  // z from -8 to 8 by 0.05
constexpr double kReach = 8;
// Terms of the series. Relu's coefficients fall by n^-1.25, so what is left out of a covariance is
// below a thousandth of the variance; the variance itself doesn't come from the series.
constexpr int64_t kTerms = 24;

struct Grid {
  Vector z, weight;  // [points]; weights sum to one
  Matrix hermite;    // [points, terms], by weight
  Grid() : z(kPoints), weight(kPoints), hermite(kPoints, kTerms) {
    for (int64_t i = 0; i < kPoints; ++i) {
      z[i] = -kReach + 2 * kReach * static_cast<double>(i) / (kPoints - 1);
      weight[i] = std::exp(-z[i] * z[i] / 2);
    }
    weight /= weight.sum();
    hermite.col(0) = weight;
    hermite.col(1) = weight.cwiseProduct(z);
    for (int64_t n = 2; n < kTerms; ++n) {
      const auto order = static_cast<double>(n);
      hermite.col(n) =
          (z.cwiseProduct(hermite.col(n - 1)) - std::sqrt(order - 1) * hermite.col(n - 2)) /
          std::sqrt(order);
    }
  }
};

const Grid& grid() {
  static const Grid grid;
  return grid;
}

// Exactly zero for a channel that is constant.
double variance_of(const Matrix& samples, int64_t channel) {
  const auto row = samples.row(channel).transpose();
  if (row.minCoeff() == row.maxCoeff()) return 0;
  const double mean = row.dot(grid().weight);
  return (row.array() - mean).square().matrix().dot(grid().weight);
}

}  // namespace

Moments moments_of(const ChannelModel& model) {
  const int64_t channels = model.channels();
  Matrix coefficient = model.samples * grid().hermite;
  const Vector deviation = deviations_of(model);
  Moments moments{model.samples * grid().weight, Matrix(channels, channels)};
  for (int64_t i = 0; i < channels; ++i) {
    if (deviation[i] == 0) {
      coefficient.row(i).setZero();
      moments.mean[i] = model.samples(i, 0);
    }
  }
  // What the terms leave out of a variance, as if it were one more term: two equal channels covary
  // just as much as they vary.
  Vector tail = deviation.cwiseAbs2() - coefficient.rightCols(kTerms - 1).rowwise().squaredNorm();
  tail = tail.cwiseMax(0).cwiseSqrt().eval();
  const Matrix& correlation = *model.correlation;
  for (int64_t i = 0; i < channels; ++i) {
    const double* a = coefficient.row(i).data();
    for (int64_t j = 0; j < i; ++j) {
      const double* b = coefficient.row(j).data();
      const double rho = correlation(i, j);
      double sum = 0;
      for (int64_t n = kTerms - 1; n >= 1; --n) sum = (sum + a[n] * b[n]) * rho;
      sum += tail[i] * tail[j] * std::pow(rho, kTerms);
      moments.covariance(i, j) = moments.covariance(j, i) = sum;
    }
    moments.covariance(i, i) = deviation[i] * deviation[i];
  }
  return moments;
}

Vector deviations_of(const ChannelModel& model) {
  Vector deviation(model.channels());
  for (int64_t c = 0; c < model.channels(); ++c) {
    deviation[c] = std::sqrt(variance_of(model.samples, c));
  }
  return deviation;
}

ChannelModel normal_channels(const Moments& moments, int64_t axis) {
  const int64_t channels = moments.mean.size();
  const Vector deviation = moments.covariance.diagonal().cwiseMax(0).cwiseSqrt();
  const Vector inverse = deviation.unaryExpr([](double s) { return s > 0 ? 1 / s : 0; });
  auto correlation =
      std::make_shared<Matrix>(inverse.asDiagonal() * moments.covariance * inverse.asDiagonal());
  *correlation = correlation->cwiseMax(-1).cwiseMin(1);
  correlation->diagonal().setOnes();
  ChannelModel model{.axis = axis, .correlation = correlation, .samples = {}};
  model.samples = deviation * grid().z.transpose();
  for (int64_t c = 0; c < channels; ++c) model.samples.row(c).array() += moments.mean[c];
  return model;
}

ChannelModel largest_of(ChannelModel model, int64_t count, double correlation) {
  // z_k = sqrt(r) shared + sqrt(1 - r) own_k: the maximum moves the own part alone. Mean and
  // variance of the largest of n standard normal variables, from its density on the grid.
  const auto n = static_cast<double>(count);
  Vector density(kPoints);
  for (int64_t i = 0; i < kPoints; ++i) {
    const double below = 0.5 * std::erfc(-grid().z[i] / std::sqrt(2.0));
    density[i] = grid().weight[i] * std::pow(below, n - 1);
  }
  density /= density.sum();
  const double mean = density.dot(grid().z);
  const double variance = density.dot(grid().z.cwiseAbs2()) - mean * mean;
  const double shift = std::sqrt(1 - correlation) * mean;
  const double stretch = std::sqrt(correlation + (1 - correlation) * variance);
  const Matrix old = model.samples;
  for (int64_t i = 0; i < kPoints; ++i) {
    const double at = (shift + stretch * grid().z[i] + kReach) / (2 * kReach) * (kPoints - 1);
    const double inside = std::clamp(at, 0.0, static_cast<double>(kPoints - 1));
    const auto low = std::min(static_cast<int64_t>(inside), kPoints - 2);
    const double share = inside - static_cast<double>(low);
    model.samples.col(i) = (1 - share) * old.col(low) + share * old.col(low + 1);
  }
  model.correlation = std::make_shared<Matrix>(*model.correlation);  // another z
  return model;
}

}  // namespace coppice
