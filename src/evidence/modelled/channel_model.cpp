// See channel_model.h. The grid is fine enough that a kink, as Relu has, costs below 1e-3 of a
// deviation (channel_model_test.cpp).
#include "evidence/modelled/channel_model.h"

#include <algorithm>
#include <cmath>

#include "core/threads.h"

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

// Row i of the covariances of f_j with f_i for j < i. Vectors over j, since the series of one pair
// alone would wait for itself.
Eigen::ArrayXd covariances_below(const Matrix& terms, const Vector& tail, const Matrix& correlation,
                                 int64_t i) {
  const Eigen::ArrayXd rho = correlation.row(i).head(i).transpose();
  Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(i);
  for (int64_t n = kTerms - 1; n >= 1; --n) {
    sum = (sum + terms(n, i) * terms.row(n).head(i).transpose().array()) * rho;
  }
  return sum + tail[i] * tail.head(i).array() * rho.pow(kTerms);
}

}  // namespace

Moments moments_of(const ChannelModel& model) {
  const int64_t channels = model.channels();
  const Vector deviation = deviations_of(model);
  Moments moments{model.samples * grid().weight, Matrix(channels, channels)};
  for (int64_t i = 0; i < channels; ++i) {
    if (deviation[i] == 0) moments.mean[i] = model.samples(i, 0);
  }
  const Matrix& correlation = *model.correlation;
  if (model.normal) {
    moments.covariance = deviation.asDiagonal() * correlation * deviation.asDiagonal();
    return moments;
  }
  Matrix terms = (model.samples * grid().hermite).transpose();
  for (int64_t i = 0; i < channels; ++i) {
    if (deviation[i] == 0) terms.col(i).setZero();
  }
  // What the terms leave out of a variance, as if it were one more term: two equal channels covary
  // just as much as they vary.
  Vector tail =
      deviation.cwiseAbs2() - terms.bottomRows(kTerms - 1).colwise().squaredNorm().transpose();
  tail = tail.cwiseMax(0).cwiseSqrt().eval();
  constexpr int64_t kGrain = 32;
  parallel_for(channels, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      moments.covariance.row(i).head(i) = covariances_below(terms, tail, correlation, i);
      moments.covariance(i, i) = deviation[i] * deviation[i];
    }
  });
  moments.covariance.triangularView<Eigen::StrictlyUpper>() = moments.covariance.transpose();
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
  ChannelModel model{.axis = axis, .correlation = correlation, .samples = {}, .normal = true};
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
