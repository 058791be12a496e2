// Normal equations by second moments: those of the images that fit and those of the images that
// choose are kept apart until the ridge is chosen, and then put together.
#include "prune/compensate/least_squares.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "runtime/loops/gram.h"

namespace coppice {
namespace {

constexpr double kMostStretch = 2;
constexpr int64_t kFewColumns = 32;    // so few are added up without threads and blocks
constexpr int64_t kChoosingImage = 5;  // every fifth image chooses, the others fit
// In units of each feature's variance.
constexpr std::array kRidges = {1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0};

// Sums over rows of products of (x, y, 1), all but the 1 taken from a shift.
struct Sums {
  Matrix products;
  explicit Sums(int64_t size) : products(Matrix::Zero(size, size)) {}
  double count() const { return products(products.rows() - 1, products.cols() - 1); }
};

// Means and covariances about them.
struct Statistics {
  Vector mean;        // of x and y, from the shift
  Matrix covariance;  // of both with both
  explicit Statistics(const Sums& sums) {
    const int64_t size = sums.products.rows() - 1;
    mean = sums.products.col(size).head(size) / sums.count();
    covariance = sums.products.topLeftCorner(size, size) / sums.count();
    covariance.noalias() -= mean * mean.transpose();
  }
};

class Packed {
 public:
  explicit Packed(const Regression& samples) : samples_(samples), shift_(Vector::Zero(size())) {
    const int64_t features = samples.inputs.count;
    for (int64_t r = 0; r < samples.rows; ++r) {
      for (int64_t c = 0; c < size(); ++c) shift_[c] += at(r, c, features);
    }
    shift_ /= static_cast<double>(std::max<int64_t>(1, samples.rows));
  }

  int64_t size() const { return samples_.inputs.count + samples_.wanted.count; }
  const Vector& shift() const { return shift_; }

  // Of the images that choose, or of the others.
  Sums sums(bool choosing) const {
    Sums sums(size() + 1);
    std::vector<float> rows;
    rows.reserve(kGramRows * (size() + 1));
    const auto add = [&] {
      add_products(rows, sums.products);
      rows.clear();
    };
    for (int64_t r = 0; r < samples_.rows; ++r) {
      const bool chooses = r / samples_.rows_of_image % kChoosingImage == kChoosingImage - 1;
      if (chooses != choosing) continue;
      for (int64_t c = 0; c < size(); ++c) {
        rows.push_back(static_cast<float>(at(r, c, samples_.inputs.count) - shift_[c]));
      }
      rows.push_back(1);
      if (std::ssize(rows) == kGramRows * (size() + 1)) add();
    }
    if (!rows.empty()) add();
    return sums;
  }

 private:
  static void add_products(const std::vector<float>& rows, Matrix& products) {
    const int64_t columns = products.cols(), count = std::ssize(rows) / columns;
    if (columns > kFewColumns) {
      add_gram(rows, count, columns, {products.data(), static_cast<size_t>(products.size())});
      return;
    }
    using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Matrix all = Eigen::Map<const Rows>(rows.data(), count, columns).cast<double>();
    products.noalias() += all.transpose() * all;
  }

  double at(int64_t row, int64_t column, int64_t features) const {
    return column < features
               ? samples_.inputs.first[row * samples_.inputs.stride + column]
               : samples_.wanted.first[row * samples_.wanted.stride + column - features];
  }

  const Regression& samples_;
  Vector shift_;
};

class Fit {
 public:
  Fit(const Regression& samples, const AffineMap& now, const Vector& weights)
      : features_(samples.inputs.count),
        filters_(samples.wanted.count),
        now_(now),
        weights_(weights.size() > 0 ? weights : Vector::Ones(filters_)),
        samples_(samples),
        packed_(samples) {}

  Refitted run() {
    Refitted result{.layer = now_};
    Sums fitting = packed_.sums(false);
    const Sums choosing = packed_.sums(true);
    if (fitting.count() == 0 || choosing.count() == 0) return result;
    const Statistics fitted(fitting), judged(choosing);
    result.variance = weights_.dot(judged.covariance.diagonal().tail(filters_));
    result.before = result.after = error(now_, judged);
    std::optional<double> chosen;
    for (size_t i = 0; i <= kRidges.size(); ++i) {  // the last: weights stay, biases move
      const std::optional<double> ridge =
          i < kRidges.size() ? std::optional(kRidges[i]) : std::nullopt;
      const auto candidate = solve(fitted, ridge);
      if (!candidate) continue;
      const double found = error(*candidate, judged);
      if (!(found < result.after)) continue;
      result.after = found;
      chosen = ridge;
      result.moved = true;
    }
    if (!result.moved) return result;
    fitting.products += choosing.products;
    const Statistics all(fitting);
    if (auto layer = solve(all, chosen)) result.layer = std::move(*layer);
    if (samples_.variance == Regression::Variance::wanted) stretch(result.layer, all);
    return result;
  }

 private:
  // Gives outputs the variance of what was wanted: least squares of what is known in part lie
  // nearer to the mean.
  void stretch(AffineMap& layer, const Statistics& all) const {
    const auto inputs = all.covariance.topLeftCorner(features_, features_);
    const Vector given = (layer.weight * inputs).cwiseProduct(layer.weight).rowwise().sum();
    const Vector wanted = all.covariance.diagonal().tail(filters_);
    const Vector mean = all.mean + packed_.shift();
    for (int64_t o = 0; o < filters_; ++o) {
      const double factor = given[o] > 0 ? std::sqrt(wanted[o] / given[o]) : 1;
      layer.weight.row(o) *= std::clamp(factor, 1.0, kMostStretch);
    }
    layer.bias = mean.tail(filters_) - layer.weight * mean.head(features_);
  }

  // The layer whose weights are drawn so much to what they are now; nothing where rounding leaves
  // equations that have no solution.
  std::optional<AffineMap> solve(const Statistics& all, std::optional<double> ridge) const {
    AffineMap layer = now_;
    if (ridge) {
      Matrix inputs = all.covariance.topLeftCorner(features_, features_);
      Matrix residual = all.covariance.topRightCorner(features_, filters_);
      residual.noalias() -= inputs * now_.weight.transpose();
      const double least = 1e-6 * inputs.diagonal().mean();
      if (!(least > 0)) return std::nullopt;
      inputs.diagonal() += *ridge * inputs.diagonal().cwiseMax(least);
      const Eigen::LLT<Matrix> solver(inputs);
      if (solver.info() != Eigen::Success) return std::nullopt;
      layer.weight += solver.solve(residual).transpose();
    }
    const Vector mean = all.mean + packed_.shift();
    layer.bias = mean.tail(filters_) - layer.weight * mean.head(features_);
    return layer;
  }

  double error(const AffineMap& layer, const Statistics& judged) const {
    const auto inputs = judged.covariance.topLeftCorner(features_, features_);
    const auto cross = judged.covariance.topRightCorner(features_, filters_);
    const Matrix spread = layer.weight * inputs;
    const Vector mean = judged.mean + packed_.shift();
    const Vector off = mean.tail(filters_) - layer.weight * mean.head(features_) - layer.bias;
    const Vector squares = judged.covariance.diagonal().tail(filters_) +
                           spread.cwiseProduct(layer.weight).rowwise().sum() -
                           2 * cross.transpose().cwiseProduct(layer.weight).rowwise().sum() +
                           off.cwiseProduct(off);
    return weights_.dot(squares);
  }

  int64_t features_, filters_;
  const AffineMap& now_;
  Vector weights_;
  const Regression& samples_;
  Packed packed_;
};

}  // namespace

Refitted refit(const Regression& samples, const AffineMap& now, const Vector& weights) {
  COPPICE_CHECK(
      now.weight.rows() == samples.wanted.count && now.weight.cols() == samples.inputs.count,
      "a layer of another size");
  return Fit(samples, now, weights).run();
}

}  // namespace coppice
