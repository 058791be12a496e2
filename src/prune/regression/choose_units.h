// Which units of a layer's input stay, by what the layer makes of them. The header needs Eigen, so
// only prune includes it.
#pragma once

#include <vector>

#include "prune/regression/lasso.h"
#include "prune/regression/sample_moments.h"

namespace coppice {

// A layer that reads units: its moments, its weights, and the columns that go with each unit.
struct ReadUnits {
  const SampleMoments* moments = nullptr;
  Matrix weight;  // [O, F] of the moments' columns
  Vector counts;  // [O]: how much an output's error counts
  // By column: the unit that it belongs to, from 0; -1: it stays in any case.
  std::vector<int64_t> unit_of_column;
};

// The LASSO over units that one coefficient each scales what they give to the outputs,
//
//   Z_u = X_u W_uT,    Y - (what the other columns give) ~ sum_u b_u Z_u
//
// with means taken out, so that each output has its own intercept. From second moments,
// Z_u . Z_v = tr(W_u G_uv W_vT): nothing of the size of Z is held. Linear in F^2.
LassoProblem units_problem(const ReadUnits& layer, int64_t units);

// Several layers that read the same units: each counts by the share of its outputs' variance.
LassoProblem common_problem(const std::vector<ReadUnits>& layers, int64_t units);

}  // namespace coppice
