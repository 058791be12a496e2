// See merge_coefficients.h: ridge regression in correlations, refined.
#include "prune/compensate/merge_coefficients.h"

#include <Eigen/Cholesky>

namespace coppice {
namespace {

// Correlations of kept channels have ones on the diagonal. Solved again kRefinements times for what
// the ridge left over, a direction of variance v keeps an error of (ridge / (v + ridge)) to that
// power: nothing where channels clearly correlate, nearly all where they hardly vary.
constexpr double kRidge = 1e-3;
constexpr int kRefinements = 3;

}  // namespace

Matrix merge_coefficients(const Matrix& covariance, const std::vector<int64_t>& kept,
                          const std::vector<int64_t>& removed) {
  const Vector deviation = covariance.diagonal().cwiseMax(0).cwiseSqrt();
  const Vector inverse = deviation(kept).unaryExpr([](double s) { return s > 0 ? 1 / s : 0; });
  Matrix correlation = inverse.asDiagonal() * covariance(kept, kept) * inverse.asDiagonal();
  correlation.diagonal().setOnes();
  const Matrix wanted = inverse.asDiagonal() * covariance(kept, removed);
  Matrix damped = correlation;
  damped.diagonal().array() += kRidge;
  const Eigen::LLT<Matrix> solver(damped);
  // Rounding and independence where there is none can leave a matrix that isn't one of
  // correlations; nothing is merged then.
  if (solver.info() != Eigen::Success) return Matrix::Zero(wanted.rows(), wanted.cols());
  Matrix alpha = Matrix::Zero(wanted.rows(), wanted.cols());
  for (int i = 0; i < kRefinements; ++i) alpha += solver.solve(wanted - correlation * alpha);
  return inverse.asDiagonal() * alpha;
}

}  // namespace coppice
