// What can be said of a value's channels without data: each is a function of a hidden normal
// variable, and the hidden variables of two channels are correlated.
//
//   x_c = f_c(z_c),  z ~ N(0, R),  R: [C, C] with ones on the diagonal
//
// f_c is kept as its values on a grid of z, so an activation is evaluated on the grid, whatever it
// is, and values that hang on the same z (x and sigmoid(x), say) can be multiplied point by point.
// Means and covariances come from the coefficients of f_c in normalised Hermite polynomials:
//
//   mean_c = a_c0,  Cov(x_i, x_j) = sum_{n >= 1} a_in a_jn R_ij^n
//
// The header needs Eigen, so only modules evidence and prune include it.
#pragma once

#include <memory>

#include "evidence/moments.h"

namespace coppice {

struct ChannelModel {
  int64_t axis = 1;                           // of the value, from the front
  std::shared_ptr<const Matrix> correlation;  // R, shared by values that hang on the same z
  Matrix samples;                             // [C, grid points]: f_c on the grid
  Shape folded = {};    // spatial sizes that a Flatten put into the axis, behind each channel
  bool normal = false;  // every f_c is a straight line: what saves the series
  // False behind a layer whose input nothing is known of: then means and scales say nothing, but
  // correlations still do, and channels that are constant are right.
  bool scaled = true;

  int64_t channels() const { return samples.rows(); }
  int64_t positions() const { return folded.empty() ? 1 : element_count(folded); }
};

// Linear in the grid, quadratic in channels.
Moments moments_of(const ChannelModel& model);
// Standard deviation of each channel, without correlations: linear in channels.
Vector deviations_of(const ChannelModel& model);
// Normal channels with these moments.
ChannelModel normal_channels(const Moments& moments, int64_t axis);
// The largest of `count` copies whose hidden variables are normal and correlate by `correlation`,
// by a normal variable with that maximum's mean and deviation; for f_c that grow with z.
ChannelModel largest_of(ChannelModel model, int64_t count, double correlation);

}  // namespace coppice
