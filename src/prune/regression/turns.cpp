// See turns.h.
#include "prune/regression/turns.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/views/batch_norm.h"

namespace coppice {
namespace {

// Less of a mean square than this share is rounding.
constexpr double kConstant = 1e-12;
// An output that BatchNormalization scales by less than this share of the others isn't asked for
// what the other side of a sum lacks: it would need huge numbers for it.
constexpr double kLeastFactor = 1e-3;

std::vector<int64_t> places_of(const std::vector<char>& stays, int64_t count) {
  std::vector<int64_t> places;
  for (int64_t i = 0; i < count; ++i) {
    if (stays.empty() || stays[i]) places.push_back(i);
  }
  return places;
}

// Y_2 + (Y_1 - Y'_1), in front of BatchNormalization.
Matrix wanted_matrix(const WantedSamples& wanted, const Tensor* other, const Turn& turn) {
  const int64_t samples = wanted.outputs->shape()[0], filters = wanted.outputs->shape()[1];
  const auto outputs = wanted.outputs->as<float>();
  const Vector& factor = turn.factor;
  const double least = kLeastFactor * (factor.size() > 0 ? factor.cwiseAbs().maxCoeff() : 0);
  Matrix matrix(samples, std::ssize(turn.rows));
  for (int64_t k = 0; k < matrix.cols(); ++k) {
    const int64_t o = turn.rows[k];
    for (int64_t r = 0; r < samples; ++r) matrix(r, k) = outputs[r * filters + o];
    if (!other || !wanted.other || std::abs(factor[k]) <= least) continue;
    const auto before = wanted.other->as<float>(), after = other->as<float>();
    for (int64_t r = 0; r < samples; ++r) {
      const double lacks = double{before[r * filters + o]} - after[r * filters + o];
      matrix(r, k) += lacks / factor[k];
    }
  }
  return matrix;
}

// As if the weights that read a unit had norm 1.
void scale_by_norm(const std::vector<ReadUnits>& layers, LassoProblem& problem) {
  Vector norm = Vector::Zero(problem.correlation.size());
  for (const ReadUnits& layer : layers) {
    const double variance = layer.counts.dot(layer.moments->outputs);
    for (size_t c = 0; c < layer.unit_of_column.size(); ++c) {
      const int64_t u = layer.unit_of_column[c];
      if (u < 0 || !(variance > 0)) continue;
      const Vector column = layer.weight.col(static_cast<int64_t>(c));
      norm[u] += column.cwiseAbs2().dot(layer.counts) / variance;
    }
  }
  const Vector by = norm.unaryExpr([](double x) { return x > 0 ? 1 / std::sqrt(x) : 0; });
  problem.gram = Matrix(by.asDiagonal() * problem.gram * by.asDiagonal());
  problem.correlation = Vector(by.cwiseProduct(problem.correlation));
}

}  // namespace

Turn Turns::of(const LayerWork& work, const WantedSamples& wanted, const NetByNow& net) const {
  const Contraction& layer = work.layer;
  Asked asked;
  asked.add(work, work.patches);
  const Evidence evidence = asked.measured(net.graph, options_.measure);
  Turn turn(work);
  turn.inputs = evidence.at(work.patches);
  turn.rows =
      places_of(alive(groups_, layer.weight, layer.filter_axis, net.removal), layer.filters);
  turn.columns = live_columns(layer, net.removal);
  const Matrix all = layer.scale * weight_of(net.graph, layer);
  turn.weight = all(turn.rows, turn.columns);
  const Node& node = net.graph.nodes[work.node];
  turn.bias =
      bias_of(net.graph, node, layer.filters).value_or(Vector::Zero(layer.filters))(turn.rows);
  const Vector factor = factor_behind(work, net.graph);
  turn.factor = factor(turn.rows);
  turn.counts = turn.factor.cwiseAbs2();
  const Tensor* other = work.other == kNoValue ? nullptr : &evidence.at(work.other_samples);
  turn.moments = moments_of(turn.inputs, turn.columns, wanted_matrix(wanted, other, turn));
  return turn;
}

std::vector<int64_t> Turns::live_columns(const Contraction& layer, const Removal& removal) const {
  std::vector<int64_t> columns;
  for (const int64_t i :
       places_of(alive(groups_, layer.weight, layer.input_axis, removal), layer.inputs)) {
    for (int64_t t = 0; t < layer.taps(); ++t) columns.push_back(i * layer.taps() + t);
  }
  return columns;
}

Vector Turns::factor_behind(const LayerWork& work, const Graph& graph) const {
  const auto norm =
      work.normalised_by < 0 ? std::nullopt : batch_norm_of(graph, graph.nodes[work.normalised_by]);
  return norm ? factor_of(graph, *norm) : Vector::Ones(work.layer.filters);
}

bool Turns::varies(const Turn& turn) const {
  const SampleMoments& m = turn.moments;
  const double outputs = turn.counts.dot(m.outputs);
  const double squares = outputs + turn.counts.dot(Vector(m.output_mean.cwiseAbs2()));
  const double inputs = m.inputs.trace(), read = inputs + m.input_mean.squaredNorm();
  const bool answers = outputs > kConstant * squares, sees = inputs > kConstant * read;
  if (answers && sees) return true;
  if (!turn.work.loses) return false;
  fail_input(std::string(answers ? "its inputs" : "its outputs") + " are the same at all " +
             std::to_string(static_cast<int64_t>(m.count)) +
             " samples, expected responses to choose channels by; is the preprocessing right, or "
             "the layer dead?");
}

ReadUnits Turns::read_units(const Turn& turn, size_t group) const {
  const Contraction& layer = turn.work.layer;
  std::vector<int64_t> unit_of(layer.inputs * layer.taps(), -1);
  for (const Slice& slice : groups_.free[group].slices) {
    if (slice.tensor != layer.weight || slice.axis != layer.input_axis) continue;
    for (size_t u = 0; u < slice.indices.size(); ++u) {
      for (const int64_t i : slice.indices[u]) {
        std::fill_n(unit_of.begin() + i * layer.taps(), layer.taps(), static_cast<int64_t>(u));
      }
    }
  }
  ReadUnits read{&turn.moments, turn.weight, turn.counts, {}};
  for (const int64_t column : turn.columns) read.unit_of_column.push_back(unit_of[column]);
  return read;
}

LassoProblem Turns::problem_of(const Turn& turn, size_t group, const NetByNow& net) const {
  std::vector<Turn> others;
  for (const int32_t n : readers_[group].nodes) {
    if (n != turn.work.node) others.push_back(of_other(n, net));
  }
  std::vector<ReadUnits> layers = {read_units(turn, group)};
  for (const Turn& other : others) layers.push_back(read_units(other, group));
  LassoProblem problem = common_problem(layers, groups_.free[group].units());
  if (options_.scaled == RegressionOptions::Scaled::by_norm) scale_by_norm(layers, problem);
  return problem;
}

// A layer that is not at its turn, but reads what is chosen now.
Turn Turns::of_other(int32_t node, const NetByNow& net) const {
  const auto found = std::ranges::find(works_, node, &LayerWork::node);
  COPPICE_CHECK(found != works_.end(), "a reader without work");
  Asked asked;
  asked.add(*found, found->samples);
  const Evidence evidence = asked.measured(original_, options_.measure);
  WantedSamples wanted{&evidence.at(found->samples), nullptr};
  if (found->other != kNoValue) wanted.other = &evidence.at(found->other_samples);
  return of(*found, wanted, net);
}

}  // namespace coppice
