// The LASSO from second moments: which few of many columns give a wanted one.
//
//   minimise over b   1/2 bT H b - qT b + y2/2 + alpha |b|_1
//
// with H = ZT Z / n, q = ZT y / n and y2 = yT y / n, which is 1/(2n) |y - Z b|^2 + alpha |b|_1, so
// alphas are those of scikit-learn. Neither Z nor y is ever held.
//
// Source: Friedman, Hastie, Tibshirani, "Regularization Paths for Generalized Linear Models via
// Coordinate Descent", Journal of Statistical Software 33(1), 2010, Sec. 2: covariance updates,
// warm starts, active sets. Differs: it ends by the duality gap, as scikit-learn does; the columns
// that move are packed together, so a sweep over k of n columns costs k^2 and not k n.
//
// The header needs Eigen, so only prune includes it.
#pragma once

#include <vector>

#include "evidence/moments.h"

namespace coppice {

struct LassoProblem {
  Matrix gram;         // H: [n, n], symmetric
  Vector correlation;  // q: [n]
  double square = 0;   // y2
};

struct LassoOptions {
  double tolerance = 1e-4;  // of the duality gap, as a share of y2
  int64_t most_sweeps = 100'000;
};

// The least alpha at which every coefficient is zero.
double largest_alpha(const LassoProblem& problem);

// Solves for one alpha after the other, each from where the last one ended; fastest from large
// alphas to small ones. Columns that are zero everywhere get nothing.
class Lasso {
 public:
  // Requires: the problem lives as long.
  explicit Lasso(const LassoProblem& problem, LassoOptions options = {});

  const Vector& solve(double alpha);
  const Vector& coefficients() const { return coefficients_; }
  int64_t nonzeros() const { return (coefficients_.array() != 0).count(); }

 private:
  void activate(double alpha);
  void pack(size_t first);
  void drop_zeros();
  void sweep_until_still(double alpha, double stillness);
  bool is_solved(double alpha) const;
  void refresh_slope();

  const LassoProblem& problem_;
  LassoOptions options_;
  Vector coefficients_, slope_;  // slope: q - H b
  std::vector<int64_t> active_;
  std::vector<char> is_active_;
  Matrix packed_;  // H of the active ones, in the upper left corner
  double last_alpha_;
};

// One column of coefficients for each alpha: [n, alphas].
Matrix lasso_path(const LassoProblem& problem, const std::vector<double>& alphas,
                  LassoOptions options = {});

// Just `count` columns, ascending: those of the least alpha that leaves so many, or fewer; where
// one step of alpha takes several columns, the largest coefficients before it fill up. Of equal
// ones the first, and of columns that never get a coefficient the first, too. Requires: 0 <= count
// <= n.
std::vector<int64_t> lasso_support(const LassoProblem& problem, int64_t count,
                                   LassoOptions options = {});

}  // namespace coppice
