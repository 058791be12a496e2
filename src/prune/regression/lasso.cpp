// See lasso.h. A sweep moves one coefficient after the other to where its own slope is met:
//
//   b_j <- S(slope_j + H_jj b_j, alpha) / H_jj    S(x, a) = sign(x) max(|x| - a, 0)
//
// and corrects the slopes of the active columns. Once these hardly move, the slopes of all are
// computed: who breaks |slope_j| <= alpha joins, until the gap is small enough.
#include "prune/regression/lasso.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace coppice {
namespace {

// From one alpha to the next on the way down, and how near two of them may come when a count lies
// between.
constexpr double kStep = 0.8, kNearest = 1e-7, kLeastShare = 1e-9;
// How still the active columns must be, as a share of the largest coefficient, at first.
constexpr double kStill = 1e-3;

double shrunk(double x, double alpha) {
  return std::copysign(std::max(std::abs(x) - alpha, 0.0), x);
}

}  // namespace

double largest_alpha(const LassoProblem& problem) {
  return problem.correlation.size() == 0 ? 0 : problem.correlation.cwiseAbs().maxCoeff();
}

Lasso::Lasso(const LassoProblem& problem, LassoOptions options)
    : problem_(problem),
      options_(options),
      coefficients_(Vector::Zero(problem.correlation.size())),
      slope_(problem.correlation),
      is_active_(static_cast<size_t>(problem.correlation.size()), 0),
      packed_(problem.gram.rows(), problem.gram.cols()),
      last_alpha_(largest_alpha(problem)) {
  COPPICE_CHECK(problem.gram.rows() == problem.gram.cols() &&
                    problem.gram.rows() == problem.correlation.size(),
                "a Gram matrix of another size");
}

// Those with a coefficient, those that break the rule, and those that will by the sequential strong
// rule (Tibshirani et al., JRSS B 74(2), 2012); a wrong guess only costs time.
void Lasso::activate(double alpha) {
  const double guess = std::min(alpha, 2 * alpha - last_alpha_);
  const size_t before = active_.size();
  for (int64_t j = 0; j < slope_.size(); ++j) {
    if (is_active_[j] || problem_.gram(j, j) <= 0 || std::abs(slope_[j]) <= guess) continue;
    is_active_[j] = 1;
    active_.push_back(j);
  }
  pack(before);
}

// Rows and columns of the active ones from `first` on.
void Lasso::pack(size_t first) {
  for (size_t k = first; k < active_.size(); ++k) {
    const double* row = problem_.gram.row(active_[k]).data();
    for (size_t i = 0; i <= k; ++i) {
      packed_(static_cast<int64_t>(k), static_cast<int64_t>(i)) = row[active_[i]];
      packed_(static_cast<int64_t>(i), static_cast<int64_t>(k)) = row[active_[i]];
    }
  }
}

// Who lost its coefficient needn't be swept over; packing anew is worth it for many of them.
void Lasso::drop_zeros() {
  constexpr int64_t kPart = 8;
  if (kPart * (std::ssize(active_) - nonzeros()) < std::ssize(active_)) return;
  std::erase_if(active_, [&](int64_t j) {
    const bool leaves = coefficients_[j] == 0;
    if (leaves) is_active_[j] = 0;
    return leaves;
  });
  pack(0);
}

void Lasso::sweep_until_still(double alpha, double stillness) {
  const auto count = std::ssize(active_);
  Vector b(coefficients_(active_)), slope(slope_(active_));
  for (int64_t sweep = 0; sweep < options_.most_sweeps; ++sweep) {
    double moved = 0, largest = 0;
    for (int64_t k = 0; k < count; ++k) {
      const double square = packed_(k, k);
      const double next = shrunk(slope[k] + square * b[k], alpha) / square;
      const double step = next - b[k];
      largest = std::max(largest, std::abs(next));
      if (step == 0) continue;
      moved = std::max(moved, std::abs(step));
      slope.noalias() -= step * packed_.row(k).head(count).transpose();
      b[k] = next;
    }
    if (moved <= stillness * largest) break;
  }
  coefficients_(active_) = b;
}

void Lasso::refresh_slope() {
  slope_ = problem_.correlation;
  for (const int64_t j : active_) {
    if (coefficients_[j] != 0)
      slope_.noalias() -= coefficients_[j] * problem_.gram.row(j).transpose();
  }
}

// The duality gap at the feasible point that the residual gives when it is scaled.
bool Lasso::is_solved(double alpha) const {
  const double qb = problem_.correlation.dot(coefficients_);
  const double residual = problem_.square - qb - slope_.dot(coefficients_);
  const double steepest = slope_.cwiseAbs().maxCoeff();
  const double scale = steepest > alpha ? alpha / steepest : 1;
  const double gap = 0.5 * residual * (1 + scale * scale) + alpha * coefficients_.lpNorm<1>() -
                     scale * (problem_.square - qb);
  return gap <= options_.tolerance * problem_.square;
}

const Vector& Lasso::solve(double alpha) {
  if (slope_.size() == 0) return coefficients_;
  activate(alpha);
  double stillness = kStill;
  for (int64_t round = 0; round < options_.most_sweeps; ++round) {
    sweep_until_still(alpha, stillness);
    refresh_slope();
    if (is_solved(alpha)) break;
    const size_t before = active_.size();
    last_alpha_ = alpha;
    activate(alpha);
    if (active_.size() == before) stillness *= 0.1;
    if (stillness < 1e-16) break;  // nothing moves any more: that is as near as doubles come
  }
  last_alpha_ = alpha;
  drop_zeros();
  return coefficients_;
}

Matrix lasso_path(const LassoProblem& problem, const std::vector<double>& alphas,
                  LassoOptions options) {
  Lasso lasso(problem, options);
  Matrix path(problem.correlation.size(), std::ssize(alphas));
  for (size_t i = 0; i < alphas.size(); ++i)
    path.col(static_cast<int64_t>(i)) = lasso.solve(alphas[i]);
  return path;
}

std::vector<int64_t> lasso_support(const LassoProblem& problem, int64_t count,
                                   LassoOptions options) {
  const int64_t columns = problem.correlation.size();
  COPPICE_CHECK(count >= 0 && count <= columns, "more columns than there are");
  Lasso lasso(problem, options);
  double high = largest_alpha(problem), low = high;
  Vector fewer = lasso.coefficients(), more = fewer;  // at high and at low
  const double least = kLeastShare * high;
  while ((more.array() != 0).count() < count && low > least) {
    high = std::exchange(low, low * kStep);
    fewer = std::exchange(more, lasso.solve(low));
  }
  while ((more.array() != 0).count() > count && low < high * (1 - kNearest)) {
    const double middle = std::sqrt(low * high);
    const Vector found = lasso.solve(middle);
    const int64_t nonzeros = (found.array() != 0).count();
    (nonzeros < count ? high : low) = middle;
    (nonzeros < count ? fewer : more) = found;
    if (nonzeros == count) break;
  }
  std::vector<int64_t> order(columns);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](int64_t a, int64_t b) {
    if ((fewer[a] != 0) != (fewer[b] != 0)) return fewer[a] != 0;
    return std::abs(more[a]) > std::abs(more[b]);
  });
  order.resize(count);
  std::ranges::sort(order);
  return order;
}

}  // namespace coppice
