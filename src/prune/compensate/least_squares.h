// The linear layer that gives wanted outputs from what it reads, by least squares from samples:
//
//   y_o = bias_o + sum_f w_of x_f        over rows (x, y), several of each image
//
// The ridge draws towards the weights that the layer has now, not towards zero, and how strong it
// is, up to leaving everything as it is, is chosen by images that the fit doesn't see. So few
// images, or features that say the same, do no harm. The header needs Eigen, so only evidence and
// prune include it.
//
// Source of Variance::wanted: Jordan, Sedghi, Saukh, Entezari, Neyshabur, "REPAIR: REnormalizing
// Permuted Activations for Interpolation Repair", ICLR 2023, arXiv:2211.08403.
// Differs: of layers fitted to samples, by their own weights and at most twofold.
#pragma once

#include <cstdint>
#include <vector>

#include "prune/affine_map.h"

namespace coppice {

// Some columns of samples that lie in memory row by row.
struct Columns {
  const float* first = nullptr;
  int64_t count = 0, stride = 0;  // from row to row
};

struct Regression {
  Columns inputs, wanted;
  int64_t rows = 0;
  int64_t rows_of_image = 1;  // rows of an image stand together
  // Of what is fitted: what least squares give, or that of what was wanted. Where features say
  // only a part of it, least squares lie nearer to the mean, and a net of such layers fades out.
  enum class Variance { least, wanted };
  Variance variance = Variance::least;
};

struct Refitted {
  AffineMap layer;  // of [filters, features]
  // Sums over the filters of mean squared errors on the images that chose the ridge, and of what
  // was wanted there about its mean: before, after, wanted.
  double before = 0, after = 0, variance = 0;
  bool moved = false;  // else the layer is the given one
};

// `weights_of_errors`: by filter, how much its error counts when the ridge is chosen; empty: all
// alike. With one image the layer is left alone. The same input gives the same bits. Cubic in
// features. Requires: finite samples.
Refitted refit(const Regression& samples, const AffineMap& now,
               const Vector& weights_of_errors = {});

}  // namespace coppice
