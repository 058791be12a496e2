// Second moments of what a layer reads and of what it should answer, about their means: all that
// choosing its channels and fitting its weights need of any number of samples. The header needs
// Eigen, so only prune includes it.
#pragma once

#include <span>
#include <vector>

#include "prune/affine_map.h"

namespace coppice {

struct SampleMoments {
  double count = 0;
  Vector input_mean, output_mean;  // [F], [O]
  Matrix inputs;                   // E[x xT]: [F, F]
  Matrix cross;                    // E[x yT]: [F, O]
  Vector outputs;                  // E[y y]: [O]
};

// Of some columns of the inputs, ascending, and of some of the wanted outputs, [N, O] row by row.
// Products of floats about the columns' means, added up in double. Quadratic in columns. Requires:
// N > 0; finite numbers.
SampleMoments moments_of(const Tensor& inputs, std::span<const int64_t> columns,
                         const Matrix& wanted);

// By least squares from the given of the moments' columns (normal equations; the ridge is
// kFitRidge of a column's variance, so that columns that say the same share, or ten times that and
// so on where rounding asks for it). Columns that don't vary get nothing.
inline constexpr double kFitRidge = 1e-6;
AffineMap least_squares(const SampleMoments& moments, std::span<const int64_t> columns);

// By output, E[(y - W x - b)^2] for a layer that reads these columns.
Vector squared_errors(const SampleMoments& moments, std::span<const int64_t> columns,
                      const AffineMap& fit);

}  // namespace coppice
