// Least squares and the LASSO over units, from second moments, against the samples themselves.
#include "prune/regression/sample_moments.h"

#include <gtest/gtest.h>

#include <Eigen/QR>
#include <numeric>

#include "core/random.h"
#include "prune/regression/choose_units.h"

namespace coppice {
namespace {

struct Layer {
  Tensor inputs;  // [N, F]
  Matrix weight;  // [O, F]
  Matrix wanted;  // [N, O]

  Matrix x() const {
    const auto element = inputs.as<float>();
    Matrix matrix(inputs.shape()[0], inputs.shape()[1]);
    for (int64_t i = 0; i < inputs.size(); ++i) matrix.data()[i] = element[i];
    return matrix;
  }
};

Layer layer(int64_t rows, int64_t features, int64_t filters, uint64_t seed) {
  Random random(seed);
  Layer made{Tensor::zeros(DType::f32, {rows, features}), Matrix(filters, features), {}};
  random.fill_normal(made.inputs.mutate<float>(), 1);
  for (float& x : made.inputs.mutate<float>()) x = std::max(0.0f, x + 0.5f) + 3;
  for (double& w : made.weight.reshaped()) w = random.normal();
  made.wanted = made.x() * made.weight.transpose();
  for (int64_t o = 0; o < filters; ++o) made.wanted.col(o).array() += static_cast<double>(o) - 1;
  return made;
}

std::vector<int64_t> all_of(int64_t count) {
  std::vector<int64_t> list(count);
  std::iota(list.begin(), list.end(), 0);
  return list;
}

TEST(SampleMoments, are_those_of_the_samples) {
  const Layer made = layer(3000, 7, 3, 1);
  const std::vector<int64_t> columns = {1, 2, 5};
  const SampleMoments moments = moments_of(made.inputs, columns, made.wanted);
  const Matrix x(made.x()(Eigen::all, columns));
  const Matrix centred = x.rowwise() - x.colwise().mean();
  const Matrix wanted = made.wanted.rowwise() - made.wanted.colwise().mean();
  EXPECT_EQ(moments.count, 3000);
  EXPECT_LT((moments.inputs - centred.transpose() * centred / 3000).cwiseAbs().maxCoeff(), 1e-5);
  EXPECT_LT((moments.cross - centred.transpose() * wanted / 3000).cwiseAbs().maxCoeff(), 1e-5);
  EXPECT_LT((moments.input_mean - x.colwise().mean().transpose()).cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_NEAR(moments.outputs[1], wanted.col(1).squaredNorm() / 3000, 1e-4);
}

TEST(NormalEquations, from_all_columns_gives_the_layer_itself_with_its_bias) {
  const Layer made = layer(500, 6, 4, 2);
  const auto columns = all_of(6);
  const SampleMoments moments = moments_of(made.inputs, columns, made.wanted);
  const AffineMap fit = least_squares(moments, columns);
  EXPECT_LT((fit.weight - made.weight).cwiseAbs().maxCoeff(), 1e-4);
  for (int64_t o = 0; o < 4; ++o) EXPECT_NEAR(fit.bias[o], static_cast<double>(o) - 1, 1e-3);
  EXPECT_LT(squared_errors(moments, columns, fit).maxCoeff(), 1e-6);
}

TEST(NormalEquations, solves_the_normal_equations_as_a_plain_solver_does) {
  const Layer made = layer(400, 8, 3, 3);
  const std::vector<int64_t> kept = {0, 3, 4, 7};
  const SampleMoments moments = moments_of(made.inputs, all_of(8), made.wanted);
  const AffineMap fit = least_squares(moments, kept);
  Matrix x(400, 5);
  x << Matrix(made.x()(Eigen::all, kept)), Matrix::Ones(400, 1);
  const Matrix plain = x.colPivHouseholderQr().solve(made.wanted);  // [columns and bias, O]
  EXPECT_LT((fit.weight.transpose() - plain.topRows(4)).cwiseAbs().maxCoeff(), 1e-4);
  EXPECT_LT((fit.bias.transpose() - plain.row(4)).cwiseAbs().maxCoeff(), 1e-3);
  const Matrix rest = made.wanted - x.leftCols(4) * fit.weight.transpose() -
                      Matrix::Ones(400, 1) * fit.bias.transpose();
  EXPECT_LT((x.transpose() * rest / 400).cwiseAbs().maxCoeff(), 1e-4);
  const Vector errors = squared_errors(moments, kept, fit);
  for (int64_t o = 0; o < 3; ++o) EXPECT_NEAR(errors[o], rest.col(o).squaredNorm() / 400, 1e-3);
}

TEST(NormalEquations, columns_that_say_the_same_share_and_dead_ones_get_nothing) {
  Layer made = layer(300, 4, 2, 4);
  const auto element = made.inputs.mutate<float>();
  for (int64_t r = 0; r < 300; ++r) {
    element[r * 4 + 1] = element[r * 4];
    element[r * 4 + 3] = 2;
  }
  const auto columns = all_of(4);
  const AffineMap fit = least_squares(moments_of(made.inputs, columns, made.wanted), columns);
  EXPECT_NEAR(fit.weight(0, 0), fit.weight(0, 1), 1e-3);
  EXPECT_EQ(fit.weight(1, 3), 0);
  EXPECT_TRUE(fit.weight.allFinite());
}

// What the LASSO sees, written out: Z of each unit over all samples and outputs.
TEST(UnitsProblem, is_that_of_what_the_units_give_to_the_outputs) {
  const Layer made = layer(250, 8, 3, 5);
  const SampleMoments moments = moments_of(made.inputs, all_of(8), made.wanted);
  // Three units of two columns; the last two columns stay in any case.
  const ReadUnits read{&moments, made.weight, Vector{{1.0, 0.5, 2.0}}, {0, 0, 1, 1, 2, 2, -1, -1}};
  const LassoProblem problem = units_problem(read, 3);
  const Matrix x = made.x().rowwise() - made.x().colwise().mean();
  const auto given_by = [&](int64_t first) {
    const Matrix z = x.middleCols(first, 2) * made.weight.middleCols(first, 2).transpose();
    return Matrix(z * read.counts.cwiseSqrt().asDiagonal());
  };
  Matrix wanted = made.wanted.rowwise() - made.wanted.colwise().mean();
  wanted = wanted * read.counts.cwiseSqrt().asDiagonal();
  wanted -= given_by(6);
  for (int64_t u = 0; u < 3; ++u) {
    EXPECT_NEAR(problem.correlation[u], given_by(2 * u).cwiseProduct(wanted).sum() / 250, 1e-3);
    for (int64_t v = 0; v < 3; ++v) {
      EXPECT_NEAR(problem.gram(u, v), given_by(2 * u).cwiseProduct(given_by(2 * v)).sum() / 250,
                  1e-3);
    }
  }
  EXPECT_NEAR(problem.square, wanted.squaredNorm() / 250, 1e-3);
}

TEST(UnitsProblem, of_two_layers_each_counts_by_its_share) {
  const Layer made = layer(200, 4, 2, 6);
  Layer louder = made;
  louder.weight *= 10;
  louder.wanted *= 10;
  const SampleMoments one = moments_of(made.inputs, all_of(4), made.wanted);
  const SampleMoments other = moments_of(louder.inputs, all_of(4), louder.wanted);
  const ReadUnits first{&one, made.weight, Vector::Ones(2), {0, 0, 1, 1}};
  const ReadUnits second{&other, louder.weight, Vector::Ones(2), {0, 0, 1, 1}};
  const LassoProblem both = common_problem({first, second}, 2), alone = common_problem({first}, 2);
  EXPECT_LT((both.gram - 2 * alone.gram).cwiseAbs().maxCoeff(), 1e-4);
  EXPECT_NEAR(both.square, 2 * alone.square, 1e-6);
}

}  // namespace
}  // namespace coppice
