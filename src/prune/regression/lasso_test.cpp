// The LASSO against its optimality conditions, and against a solver that is nothing but loops.
#include "prune/regression/lasso.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"

namespace coppice {
namespace {

struct Samples {
  Matrix columns;  // [n, c]
  Vector wanted;   // [n]
};

// Columns that correlate, and a wanted one that is made of a few of them.
Samples samples(int64_t rows, int64_t columns, uint64_t seed) {
  Random random(seed);
  Samples made{Matrix(rows, columns), Vector(rows)};
  for (int64_t r = 0; r < rows; ++r) {
    const double common = random.normal();
    for (int64_t c = 0; c < columns; ++c) made.columns(r, c) = random.normal() + 0.7 * common;
    made.wanted[r] = 0.3 * random.normal();
    for (int64_t c = 0; c < columns; c += 3) {
      made.wanted[r] += made.columns(r, c) / static_cast<double>(1 + c);
    }
  }
  return made;
}

LassoProblem problem_of(const Samples& made) {
  const double n = static_cast<double>(made.columns.rows());
  return {made.columns.transpose() * made.columns / n, made.columns.transpose() * made.wanted / n,
          made.wanted.squaredNorm() / n};
}

// Proximal gradient steps on the samples themselves, thousands of them.
Vector plain_solution(const Samples& made, double alpha) {
  const double n = static_cast<double>(made.columns.rows());
  const double step = n / made.columns.squaredNorm();
  Vector b = Vector::Zero(made.columns.cols());
  for (int i = 0; i < 50'000; ++i) {
    const Vector slope = made.columns.transpose() * (made.wanted - made.columns * b) / n;
    for (int64_t j = 0; j < b.size(); ++j) {
      const double moved = b[j] + step * slope[j];
      b[j] = std::copysign(std::max(std::abs(moved) - step * alpha, 0.0), moved);
    }
  }
  return b;
}

TEST(Lasso, meets_the_optimality_conditions_on_the_samples) {
  const Samples made = samples(200, 30, 1);
  const LassoProblem problem = problem_of(made);
  for (const double share : {0.9, 0.5, 0.1, 0.01}) {
    const double alpha = share * largest_alpha(problem);
    Lasso lasso(problem, {.tolerance = 1e-12});
    const Vector b = lasso.solve(alpha);
    const Vector slope = made.columns.transpose() * (made.wanted - made.columns * b) / 200;
    for (int64_t j = 0; j < b.size(); ++j) {
      if (b[j] == 0) {
        EXPECT_LE(std::abs(slope[j]), alpha * (1 + 1e-6));
      } else {
        EXPECT_NEAR(slope[j], std::copysign(alpha, b[j]), alpha * 1e-5);
      }
    }
  }
}

TEST(Lasso, gives_what_a_plain_solver_gives) {
  const Samples made = samples(120, 12, 2);
  const LassoProblem problem = problem_of(made);
  const double alpha = 0.05 * largest_alpha(problem);
  const Vector expected = plain_solution(made, alpha);
  Lasso lasso(problem, {.tolerance = 1e-13});
  EXPECT_LT((lasso.solve(alpha) - expected).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(Lasso, a_path_gives_what_each_alpha_gives_by_itself_in_any_order) {
  const LassoProblem problem = problem_of(samples(100, 20, 3));
  const double top = largest_alpha(problem);
  const std::vector<double> alphas = {0.8 * top, 0.02 * top, 0.3 * top, 0.1 * top};
  const Matrix path = lasso_path(problem, alphas, {.tolerance = 1e-12});
  for (size_t i = 0; i < alphas.size(); ++i) {
    Lasso alone(problem, {.tolerance = 1e-12});
    EXPECT_LT((path.col(static_cast<int64_t>(i)) - alone.solve(alphas[i])).cwiseAbs().maxCoeff(),
              1e-4);
  }
}

TEST(Lasso, nothing_is_left_from_the_largest_alpha_on) {
  const LassoProblem problem = problem_of(samples(50, 8, 4));
  Lasso lasso(problem);
  EXPECT_EQ((lasso.solve(largest_alpha(problem)).array() != 0).count(), 0);
  EXPECT_GT((lasso.solve(0.9 * largest_alpha(problem)).array() != 0).count(), 0);
}

TEST(Lasso, a_support_has_just_the_count_asked_for) {
  const LassoProblem problem = problem_of(samples(300, 24, 5));
  for (int64_t count = 0; count <= 24; ++count) {
    const auto support = lasso_support(problem, count);
    EXPECT_EQ(std::ssize(support), count);
    EXPECT_TRUE(std::ranges::is_sorted(support));
  }
  EXPECT_EQ(lasso_support(problem, 1), std::vector<int64_t>{0}) << "the strongest column";
}

TEST(Lasso, of_columns_that_are_alike_the_first_are_taken) {
  LassoProblem problem{Matrix::Identity(6, 6), Vector::Ones(6), 6};
  EXPECT_EQ(lasso_support(problem, 2), (std::vector<int64_t>{0, 1}));
}

TEST(Lasso, columns_that_are_zero_everywhere_come_last) {
  Samples made = samples(80, 6, 6);
  made.columns.col(0).setZero();
  made.columns.col(3).setZero();
  EXPECT_EQ(lasso_support(problem_of(made), 4), (std::vector<int64_t>{1, 2, 4, 5}));
  EXPECT_EQ(lasso_support(problem_of(made), 5), (std::vector<int64_t>{0, 1, 2, 4, 5}));
  const LassoProblem nothing{Matrix::Zero(3, 3), Vector::Zero(3), 0};
  EXPECT_EQ(lasso_support(nothing, 1), std::vector<int64_t>{0});
}

}  // namespace
}  // namespace coppice
