// See choose_units.h.
#include "prune/regression/choose_units.h"

#include "core/error.h"

namespace coppice {

LassoProblem units_problem(const ReadUnits& layer, int64_t units) {
  const SampleMoments& moments = *layer.moments;
  const int64_t features = moments.inputs.rows();
  COPPICE_CHECK(std::ssize(layer.unit_of_column) == features, "columns of another layer");
  // The last place gathers the columns that stay in any case.
  const Matrix weighted = layer.counts.asDiagonal() * layer.weight;
  Matrix gram = Matrix::Zero(units + 1, units + 1);
  Vector correlation = Vector::Zero(units + 1);
  const auto place = [&](int64_t column) {
    const int64_t unit = layer.unit_of_column[column];
    return unit < 0 ? units : unit;
  };
  constexpr int64_t kRows = 256;  // products of so many columns with all others at a time
  for (int64_t first = 0; first < features; first += kRows) {
    const int64_t count = std::min(kRows, features - first);
    Matrix products = weighted.middleCols(first, count).transpose() * layer.weight;
    products.array() *= moments.inputs.middleRows(first, count).array();
    for (int64_t r = 0; r < count; ++r) {
      const int64_t i = place(first + r);
      for (int64_t c = 0; c < features; ++c) gram(i, place(c)) += products(r, c);
    }
  }
  for (int64_t f = 0; f < features; ++f) {
    correlation[place(f)] += weighted.col(f).dot(moments.cross.row(f));
  }
  const double outputs = layer.counts.dot(moments.outputs);
  LassoProblem problem{gram.topLeftCorner(units, units), correlation.head(units), 0};
  problem.correlation -= gram.col(units).head(units);
  problem.square = std::max(0.0, outputs - 2 * correlation[units] + gram(units, units));
  return problem;
}

LassoProblem common_problem(const std::vector<ReadUnits>& layers, int64_t units) {
  LassoProblem all{Matrix::Zero(units, units), Vector::Zero(units), 0};
  for (const ReadUnits& layer : layers) {
    const double variance = layer.counts.dot(layer.moments->outputs);
    if (!(variance > 0)) continue;
    const LassoProblem one = units_problem(layer, units);
    all.gram += one.gram / variance;
    all.correlation += one.correlation / variance;
    all.square += one.square / variance;
  }
  return all;
}

}  // namespace coppice
