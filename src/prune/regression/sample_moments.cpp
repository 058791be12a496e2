// See sample_moments.h. One Gram matrix of [x, y] gives all of it.
#include "prune/regression/sample_moments.h"

#include <Eigen/Cholesky>
#include <algorithm>

#include "core/error.h"
#include "core/threads.h"
#include "runtime/loops/gram.h"

namespace coppice {
namespace {

constexpr int64_t kRowsOfTask = 256;

// The samples as rows of [x, y] about the means.
class Rows {
 public:
  Rows(const Tensor& inputs, std::span<const int64_t> columns, const Matrix& wanted)
      : data_(inputs.as<float>().data()),
        stride_(inputs.shape()[1]),
        columns_(columns),
        wanted_(wanted),
        mean_(Vector::Zero(width())) {
    for (int64_t r = 0; r < count(); ++r) {
      const float* row = data_ + r * stride_;
      for (size_t c = 0; c < columns_.size(); ++c)
        mean_[static_cast<int64_t>(c)] += row[columns_[c]];
    }
    mean_.tail(wanted_.cols()) = wanted_.colwise().sum().transpose();
    mean_ /= static_cast<double>(count());
  }

  int64_t count() const { return wanted_.rows(); }
  int64_t width() const { return std::ssize(columns_) + wanted_.cols(); }
  const Vector& mean() const { return mean_; }

  // Rows [first, first + rows).
  void pack(int64_t first, int64_t rows, std::vector<float>& packed) const {
    packed.resize(static_cast<size_t>(rows * width()));
    const int64_t features = std::ssize(columns_);
    parallel_for(rows, kRowsOfTask, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const float* from = data_ + (first + r) * stride_;
        float* to = packed.data() + r * width();
        for (int64_t c = 0; c < features; ++c) {
          to[c] = static_cast<float>(from[columns_[c]] - mean_[c]);
        }
        for (int64_t o = 0; o < wanted_.cols(); ++o) {
          to[features + o] = static_cast<float>(wanted_(first + r, o) - mean_[features + o]);
        }
      }
    });
  }

 private:
  const float* data_;
  int64_t stride_;
  std::span<const int64_t> columns_;
  const Matrix& wanted_;
  Vector mean_;
};

}  // namespace

SampleMoments moments_of(const Tensor& inputs, std::span<const int64_t> columns,
                         const Matrix& wanted) {
  COPPICE_CHECK(inputs.shape()[0] == wanted.rows() && wanted.rows() > 0,
                "samples that don't match");
  const Rows rows(inputs, columns, wanted);
  const auto features = std::ssize(columns);
  Matrix gram = Matrix::Zero(rows.width(), rows.width());
  std::vector<float> packed;
  for (int64_t first = 0; first < rows.count(); first += kGramRows) {
    const int64_t count = std::min(kGramRows, rows.count() - first);
    rows.pack(first, count, packed);
    add_gram(packed, count, rows.width(), {gram.data(), static_cast<size_t>(gram.size())});
  }
  gram /= static_cast<double>(rows.count());
  return {static_cast<double>(rows.count()),
          rows.mean().head(features),
          rows.mean().tail(wanted.cols()),
          gram.topLeftCorner(features, features),
          gram.topRightCorner(features, wanted.cols()),
          gram.diagonal().tail(wanted.cols())};
}

AffineMap least_squares(const SampleMoments& moments, std::span<const int64_t> columns) {
  const std::vector<int64_t> list(columns.begin(), columns.end());
  const Vector variance = moments.inputs.diagonal()(list).cwiseMax(0);
  const double least = 1e-12 * (variance.size() > 0 ? variance.maxCoeff() : 0);
  const Vector inverse =
      variance.unaryExpr([&](double v) { return v > least ? 1 / std::sqrt(v) : 0; });
  Matrix correlation = inverse.asDiagonal() * moments.inputs(list, list) * inverse.asDiagonal();
  const Matrix cross(moments.cross(list, Eigen::all));
  // Sums of floats are some 1e-7 off, which can make columns that say the same as others worse than
  // singular; then it takes more.
  Eigen::LLT<Matrix> solver;
  for (double ridge = kFitRidge; ridge < 1; ridge *= 10) {
    correlation.diagonal().setConstant(1 + ridge);
    solver.compute(correlation);
    if (solver.info() == Eigen::Success) break;
  }
  COPPICE_CHECK(solver.info() == Eigen::Success, "second moments that aren't those of samples");
  const Matrix scaled = solver.solve(inverse.asDiagonal() * cross);
  AffineMap fit{(inverse.asDiagonal() * scaled).transpose(), {}};
  fit.bias = moments.output_mean - fit.weight * Vector(moments.input_mean(list));
  return fit;
}

Vector squared_errors(const SampleMoments& moments, std::span<const int64_t> columns,
                      const AffineMap& fit) {
  const std::vector<int64_t> list(columns.begin(), columns.end());
  const Matrix inputs(moments.inputs(list, list)), cross(moments.cross(list, Eigen::all));
  const Vector off = moments.output_mean - fit.bias - fit.weight * Vector(moments.input_mean(list));
  const Vector explained = (fit.weight * inputs).cwiseProduct(fit.weight).rowwise().sum();
  const Vector shared = cross.transpose().cwiseProduct(fit.weight).rowwise().sum();
  return moments.outputs + explained - 2 * shared + off.cwiseAbs2();
}

}  // namespace coppice
