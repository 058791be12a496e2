// See regress_layers.h. The net whose earlier layers are done is the original masked: names and
// numbers are the same in both, and what left answers with zeros.
#include "prune/regression/regress_layers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "graph/views/batch_norm.h"
#include "groups/cut/surgery.h"
#include "prune/regression/choose_units.h"
#include "prune/regression/layer_work.h"
#include "prune/regression/original_samples.h"
#include "prune/regression/unit_readers.h"

namespace coppice {
namespace {

// Less of a variance than this share of the mean square is rounding.
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

// A layer at its turn: what it reads, what it is asked for, and its weights, all without what has
// left before.
struct Turn {
  const LayerWork& work;
  std::vector<int64_t> rows, columns;  // of the weight as a matrix
  Tensor inputs;                       // [N, all columns]
  Matrix weight;                       // [rows, columns], with the layer's scale
  Vector bias, counts;                 // by row
  SampleMoments moments;

  explicit Turn(const LayerWork& its) : work(its) {}
};

class Regressing {
 public:
  Regressing(Graph& graph, Groups& groups, const Widths& widths, const RegressionOptions& options)
      : graph_(graph),
        groups_(groups),
        widths_(widths),
        options_(options),
        original_(graph),
        works_(layer_works(graph, groups, widths, options)),
        readers_(unit_readers(graph, groups)) {
    if (options.refit != RegressionOptions::Refit::none) give_places();
    now_ = graph;
    result_.removal.assign(groups.unit_count, 0);
  }

  Regressed run() {
    OriginalSamples wanted(original_, groups_, works_, options_.measure);
    tell(0);
    for (size_t w = 0; w < works_.size(); ++w) {
      const WantedSamples outputs = wanted.of(w);
      within(where(graph_, graph_.nodes[works_[w].node]), [&] { take_turn(works_[w], outputs); });
      tell(static_cast<int64_t>(w) + 1);
    }
    Scores scores{std::vector<float>(result_.removal.size(), 1), {}};
    for (size_t u = 0; u < result_.removal.size(); ++u) scores.units[u] -= result_.removal[u];
    result_.removal = removal_for(groups_, scores, widths_);
    return std::move(result_);
  }

 private:
  void tell(int64_t done) const {
    if (options_.after_layer) options_.after_layer(done, std::ssize(works_));
  }

  // Biases for layers that have none.
  void give_places() {
    std::vector<NewBias> biases;
    for (const LayerWork& work : works_) {
      if (work.place.vector != kNoValue) continue;
      biases.push_back({static_cast<size_t>(work.node), work.layer.weight, work.layer.filter_axis,
                        Tensor::zeros(DType::f32, {work.layer.filters})});
    }
    const std::vector<ValueId> added = add_biases(graph_, groups_, std::move(biases));
    auto next = added.begin();
    for (LayerWork& work : works_) {
      if (work.place.vector == kNoValue) work.place.vector = *next++;
    }
  }

  void take_turn(const LayerWork& work, const WantedSamples& wanted) {
    Turn turn = turn_of(work, wanted);
    if (!varies(turn)) return;
    for (const size_t g : work.decides) {
      choose(turn, g);
      Removal leaving(result_.removal.size(), 0);
      const Group& group = groups_.free[g];
      for (int32_t u = group.first_unit; u < group.first_unit + group.units(); ++u) {
        leaving[u] = result_.removal[u];
      }
      mask_units(now_, groups_, leaving);
      forget(turn, g);
    }
    fit(turn);
  }

  Turn turn_of(const LayerWork& work, const WantedSamples& wanted) {
    const Contraction& layer = work.layer;
    std::vector<EvidenceRequest> requests = {work.patches};
    std::vector<ValueId> values = {work.output};
    if (work.other != kNoValue) {
      requests.push_back(work.other_samples);
      values.push_back(work.other);
    }
    const Evidence evidence = options_.measure(part_before(now_, values), requests);
    Turn turn(work);
    turn.inputs = evidence.at(work.patches);
    turn.rows =
        places_of(alive(groups_, layer.weight, layer.filter_axis, result_.removal), layer.filters);
    turn.columns = live_columns(layer);
    const Matrix all = layer.scale * weight_of(now_, layer);
    turn.weight = all(turn.rows, turn.columns);
    const Node& node = now_.nodes[work.node];
    const Vector bias =
        is_product(node) ? Vector(Vector::Zero(layer.filters))
                         : bias_of(now_, node, layer.filters).value_or(Vector::Zero(layer.filters));
    turn.bias = bias(turn.rows);
    const Vector factor = factor_behind(work)(turn.rows);
    turn.counts = factor.cwiseAbs2();
    const Tensor* other = work.other == kNoValue ? nullptr : &evidence.at(work.other_samples);
    turn.moments =
        moments_of(turn.inputs, turn.columns, wanted_matrix(wanted, other, turn.rows, factor));
    return turn;
  }

  static bool is_product(const Node& node) { return node.op_type == "MatMul"; }

  std::vector<int64_t> live_columns(const Contraction& layer) const {
    std::vector<int64_t> columns;
    for (const int64_t i :
         places_of(alive(groups_, layer.weight, layer.input_axis, result_.removal), layer.inputs)) {
      for (int64_t t = 0; t < layer.taps(); ++t) columns.push_back(i * layer.taps() + t);
    }
    return columns;
  }

  // By filter: what BatchNormalization multiplies the outputs by.
  Vector factor_behind(const LayerWork& work) const {
    Vector factor = Vector::Ones(work.layer.filters);
    if (!work.place.batch_norm) return factor;
    const auto norm = batch_norm_of(graph_, *work.place.batch_norm);
    if (!norm) return factor;
    const auto scale = graph_.value(norm->scale).constant->as<float>(),
               variance = graph_.value(norm->variance).constant->as<float>();
    for (int64_t o = 0; o < factor.size(); ++o) {
      factor[o] = scale[o] / std::sqrt(variance[o] + norm->epsilon);
    }
    return factor;
  }

  // Y_2 + (Y_1 - Y'_1), in front of BatchNormalization.
  static Matrix wanted_matrix(const WantedSamples& wanted, const Tensor* other,
                              const std::vector<int64_t>& rows, const Vector& factor) {
    const int64_t samples = wanted.outputs->shape()[0], filters = wanted.outputs->shape()[1];
    const auto outputs = wanted.outputs->as<float>();
    const double least = kLeastFactor * (factor.size() > 0 ? factor.cwiseAbs().maxCoeff() : 0);
    Matrix matrix(samples, std::ssize(rows));
    for (int64_t k = 0; k < std::ssize(rows); ++k) {
      const int64_t o = rows[k];
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

  // Throws where there is something to choose and nothing to choose it by.
  bool varies(const Turn& turn) const {
    const SampleMoments& m = turn.moments;
    const double outputs = turn.counts.dot(m.outputs);
    const double squares = outputs + turn.counts.dot(Vector(m.output_mean.cwiseAbs2()));
    const double inputs = m.inputs.trace(), read = inputs + m.input_mean.squaredNorm();
    const bool answers = outputs > kConstant * squares, sees = inputs > kConstant * read;
    if (answers && sees) return true;
    if (!turn.work.loses) return false;
    fail_input(std::string(answers ? "what it reads" : "its outputs") + " are the same at all " +
               std::to_string(static_cast<int64_t>(m.count)) +
               " samples, expected responses to choose channels by; is the preprocessing right, or "
               "the layer dead?");
  }

  ReadUnits read_units(const Turn& turn, const Group& group) const {
    const Contraction& layer = turn.work.layer;
    std::vector<int64_t> unit_of(layer.inputs * layer.taps(), -1);
    for (const Slice& slice : group.slices) {
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

  // What has left gives nothing to the choice of the next group.
  void forget(Turn& turn, size_t g) const {
    const Group& group = groups_.free[g];
    const ReadUnits read = read_units(turn, group);
    for (size_t c = 0; c < turn.columns.size(); ++c) {
      const int64_t u = read.unit_of_column[c];
      if (u < 0 || !result_.removal[group.first_unit + u]) continue;
      turn.weight.col(static_cast<int64_t>(c)).setZero();
    }
  }

  void choose(const Turn& turn, size_t g) {
    const Group& group = groups_.free[g];
    std::vector<char> stays(group.units(), 0);
    for (const int64_t u : chosen(turn, g)) stays[u] = 1;
    for (int64_t u = 0; u < group.units(); ++u) {
      if (!stays[u]) result_.removal[group.first_unit + u] = 1;
    }
  }

  std::vector<int64_t> chosen(const Turn& turn, size_t g) {
    using Choose = RegressionOptions::Choose;
    const Group& group = groups_.free[g];
    std::vector<int64_t> order(group.units());
    std::iota(order.begin(), order.end(), 0);
    switch (options_.choose) {
      case Choose::lasso: return lasso_support(problem_of(turn, g), widths_[g]);
      case Choose::first: break;
      case Choose::random:
        order = Random::stream(options_.seed, {g}).permutation(group.units());
        break;
      case Choose::l1: sort_down(order, find_criterion("l1").score({original_, group, {}})); break;
      case Choose::response: sort_down(order, responses(turn, group)); break;
    }
    order.resize(widths_[g]);
    return order;
  }

  static void sort_down(std::vector<int64_t>& order, const std::vector<float>& scores) {
    std::ranges::stable_sort(order, std::greater<>(), [&](int64_t u) { return scores[u]; });
  }

  // The problem of all layers that read the group.
  LassoProblem problem_of(const Turn& turn, size_t g) {
    const Group& group = groups_.free[g];
    std::vector<Turn> others;
    for (const int32_t n : readers_[g].nodes) {
      if (n != turn.work.node) others.push_back(turn_of_other(n));
    }
    std::vector<ReadUnits> layers = {read_units(turn, group)};
    for (const Turn& other : others) layers.push_back(read_units(other, group));
    LassoProblem problem = common_problem(layers, group.units());
    if (options_.scaled == RegressionOptions::Scaled::by_norm) scale_by_norm(layers, problem);
    return problem;
  }

  // As if the weights that read a unit had norm 1.
  static void scale_by_norm(const std::vector<ReadUnits>& layers, LassoProblem& problem) {
    Vector norm = Vector::Zero(problem.correlation.size());
    for (const ReadUnits& layer : layers) {
      const double variance = layer.counts.dot(layer.moments->outputs);
      for (size_t c = 0; c < layer.unit_of_column.size(); ++c) {
        const int64_t u = layer.unit_of_column[c];
        if (u < 0 || !(variance > 0)) continue;
        const auto column = layer.weight.col(static_cast<int64_t>(c));
        norm[u] += column.cwiseAbs2().dot(layer.counts) / variance;
      }
    }
    const Vector by = norm.unaryExpr([](double x) { return x > 0 ? 1 / std::sqrt(x) : 0; });
    problem.gram = by.asDiagonal() * problem.gram * by.asDiagonal();
    problem.correlation = by.cwiseProduct(problem.correlation);
  }

  // A layer that is not at its turn, but reads what is chosen now.
  Turn turn_of_other(int32_t n) {
    const auto found = std::ranges::find(works_, n, &LayerWork::node);
    COPPICE_CHECK(found != works_.end(), "a reader without work");
    std::vector<EvidenceRequest> requests = {found->samples};
    std::vector<ValueId> values = {found->output};
    if (found->other != kNoValue) {
      requests.push_back(found->other_samples);
      values.push_back(found->other);
    }
    const Evidence evidence = options_.measure(part_before(original_, values), requests);
    const WantedSamples wanted{
        &evidence.at(found->samples),
        found->other == kNoValue ? nullptr : &evidence.at(found->other_samples)};
    return turn_of(*found, wanted);
  }

  // By unit: the mean |x| of its columns.
  std::vector<float> responses(const Turn& turn, const Group& group) const {
    const ReadUnits read = read_units(turn, group);
    std::vector<double> sums(group.units(), 0);
    const auto element = turn.inputs.as<float>();
    const int64_t stride = turn.inputs.shape()[1];
    for (int64_t r = 0; r < turn.inputs.shape()[0]; ++r) {
      for (size_t c = 0; c < turn.columns.size(); ++c) {
        const int64_t u = read.unit_of_column[c];
        if (u >= 0) sums[u] += std::abs(element[r * stride + turn.columns[c]]);
      }
    }
    return {sums.begin(), sums.end()};
  }

  void fit(const Turn& turn) {
    const Contraction& layer = turn.work.layer;
    const std::vector<int64_t> left = live_columns(layer);
    std::vector<int64_t> kept;  // of the turn's columns
    for (size_t c = 0; c < turn.columns.size(); ++c) {
      if (std::ranges::binary_search(left, turn.columns[c]))
        kept.push_back(static_cast<int64_t>(c));
    }
    const SampleMoments& moments = turn.moments;
    const auto share = [&](const LinearFit& fitting) {
      return turn.counts.dot(squared_errors(moments, kept, fitting)) /
             turn.counts.dot(moments.outputs);
    };
    const LinearFit as_was{turn.weight(Eigen::all, kept), turn.bias};
    const bool refits = options_.refit != RegressionOptions::Refit::none;
    const LinearFit best = refits ? least_squares(moments, kept) : as_was;
    if (turn.work.loses) {
      result_.layers.push_back({label_of(graph_, graph_.nodes[turn.work.node]), layer.inputs,
                                std::ssize(left) / layer.taps(), share(as_was), share(best)});
    }
    if (!refits) return;
    for (Graph* graph : {&graph_, &now_}) {
      set(*graph, turn, left, best.weight / layer.scale);
      add(*graph, turn, best.bias - turn.bias);
    }
  }

  static void set(Graph& graph, const Turn& turn, const std::vector<int64_t>& columns,
                  const Matrix& weight) {
    const Contraction& layer = turn.work.layer;
    Matrix all = weight_of(graph, layer);
    all(turn.rows, columns) = weight;
    set_weight(*graph.value(layer.weight).constant, layer, all);
  }

  static void add(Graph& graph, const Turn& turn, const Vector& constant) {
    const auto vector = graph.value(turn.work.place.vector).constant->mutate<float>();
    for (int64_t k = 0; k < std::ssize(turn.rows); ++k) {
      float& element = vector[turn.rows[k]];
      element = static_cast<float>(element + turn.work.place.factor * constant[k]);
    }
  }

  Graph& graph_;
  Groups& groups_;
  const Widths& widths_;
  const RegressionOptions& options_;
  const Graph original_;
  std::vector<LayerWork> works_;
  const std::vector<UnitReaders> readers_;
  Graph now_;
  Regressed result_;
};

}  // namespace

Regressed regress_layers(Graph& graph, Groups& groups, const Widths& widths,
                         const RegressionOptions& options) {
  COPPICE_CHECK(options.measure != nullptr, "nothing to measure on");
  return Regressing(graph, groups, widths, options).run();
}

}  // namespace coppice
