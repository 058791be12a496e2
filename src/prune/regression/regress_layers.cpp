// See regress_layers.h. The net whose earlier layers are done is the original masked: names and
// numbers are the same in both, and what left answers with zeros.
#include "prune/regression/regress_layers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "groups/cut/surgery.h"
#include "prune/regression/turns.h"

namespace coppice {
namespace {

class Regressing {
 public:
  Regressing(Graph& graph, Groups& groups, const Widths& widths, const RegressionOptions& options)
      : graph_(graph),
        groups_(groups),
        widths_(widths),
        options_(options),
        original_(graph),
        works_(layer_works(graph, groups, widths, options)),
        turns_(original_, groups, works_, options) {
    if (options.refit != RegressionOptions::Refit::none) give_places();
    net_.graph = graph;
    net_.removal.assign(groups.unit_count, 0);
  }

  Regressed run() {
    OriginalSamples wanted(original_, groups_, works_, options_.measure);
    tell(0);
    for (size_t w = 0; w < works_.size(); ++w) {
      const WantedSamples outputs = wanted.of(w);
      within(where(graph_, graph_.nodes[works_[w].node]), [&] { take_turn(works_[w], outputs); });
      tell(w + 1);
    }
    Scores scores{std::vector<float>(net_.removal.size(), 1), {}};
    for (size_t u = 0; u < net_.removal.size(); ++u) scores.units[u] -= net_.removal[u];
    result_.removal = removal_for(groups_, scores, widths_);
    return std::move(result_);
  }

 private:
  void tell(size_t done) const {
    if (options_.after_layer) options_.after_layer(static_cast<int64_t>(done), std::ssize(works_));
  }

  // Biases for layers that have none.
  void give_places() {
    std::vector<NewBias> biases;
    for (const LayerWork& work : works_) {
      if (work.vector != kNoValue) continue;
      biases.push_back({static_cast<size_t>(work.node), work.layer.weight, work.layer.filter_axis,
                        Tensor::zeros(DType::f32, {work.layer.filters})});
    }
    const std::vector<ValueId> added = add_biases(graph_, groups_, std::move(biases));
    auto next = added.begin();
    for (LayerWork& work : works_) {
      if (work.vector == kNoValue) work.vector = *next++;
    }
  }

  void take_turn(const LayerWork& work, const WantedSamples& wanted) {
    Turn turn = turns_.of(work, wanted, net_);
    if (!turns_.varies(turn)) return;
    for (const size_t g : work.decides) {
      const Group& group = groups_.free[g];
      std::vector<char> stays(group.units(), 0);
      for (const int64_t u : chosen(turn, g)) stays[u] = 1;
      Removal leaving(net_.removal.size(), 0);
      for (int64_t u = 0; u < group.units(); ++u) {
        if (!stays[u]) leaving[group.first_unit + u] = net_.removal[group.first_unit + u] = 1;
      }
      mask_units(net_.graph, groups_, leaving);
      forget(turn, g);
    }
    fit(turn);
  }

  // What has left gives nothing to the choice of the next group.
  void forget(Turn& turn, size_t g) const {
    const ReadUnits read = turns_.read_units(turn, g);
    for (size_t c = 0; c < turn.columns.size(); ++c) {
      const int64_t u = read.unit_of_column[c];
      if (u < 0 || !net_.removal[groups_.free[g].first_unit + u]) continue;
      turn.weight.col(static_cast<int64_t>(c)).setZero();
    }
  }

  std::vector<int64_t> chosen(const Turn& turn, size_t g) const {
    using Choose = RegressionOptions::Choose;
    const Group& group = groups_.free[g];
    std::vector<int64_t> order(group.units());
    std::iota(order.begin(), order.end(), 0);
    switch (options_.choose) {
      case Choose::lasso: return lasso_support(turns_.problem_of(turn, g, net_), widths_[g]);
      case Choose::first: break;
      case Choose::random:
        order = Random::stream(options_.seed, {g}).permutation(group.units());
        break;
      case Choose::l1: sort_down(order, find_criterion("l1").score({original_, group, {}})); break;
      case Choose::response: sort_down(order, responses(turn, g)); break;
    }
    order.resize(widths_[g]);
    return order;
  }

  static void sort_down(std::vector<int64_t>& order, const std::vector<float>& scores) {
    std::ranges::stable_sort(order, std::greater<>(), [&](int64_t u) { return scores[u]; });
  }

  // By unit: the mean |x| of its columns, but for a factor.
  std::vector<float> responses(const Turn& turn, size_t g) const {
    const ReadUnits read = turns_.read_units(turn, g);
    std::vector<double> sums(groups_.free[g].units(), 0);
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
    const std::vector<int64_t> left = turns_.live_columns(layer, net_.removal);
    std::vector<int64_t> kept;  // of the turn's columns
    for (size_t c = 0; c < turn.columns.size(); ++c) {
      if (!std::ranges::binary_search(left, turn.columns[c])) continue;
      kept.push_back(static_cast<int64_t>(c));
    }
    const SampleMoments& moments = turn.moments;
    const auto share = [&](const AffineMap& fitting) {
      return turn.counts.dot(squared_errors(moments, kept, fitting)) /
             turn.counts.dot(moments.outputs);
    };
    const AffineMap as_was{turn.weight(Eigen::all, kept), turn.bias};
    const bool refits = options_.refit != RegressionOptions::Refit::none;
    const AffineMap best = refits ? least_squares(moments, kept) : as_was;
    if (turn.work.loses) {
      result_.layers.push_back({label_of(graph_, graph_.nodes[turn.work.node]), layer.inputs,
                                std::ssize(left) / layer.taps(), share(as_was), share(best)});
    }
    if (!refits) return;
    for (Graph* graph : {&graph_, &net_.graph}) {
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
    const auto vector = graph.value(turn.work.vector).constant->mutate<float>();
    for (int64_t k = 0; k < std::ssize(turn.rows); ++k) {
      float& element = vector[turn.rows[k]];
      element = static_cast<float>(element + turn.work.factor * constant[k]);
    }
  }

  Graph& graph_;
  Groups& groups_;
  const Widths& widths_;
  const RegressionOptions& options_;
  const Graph original_;
  std::vector<LayerWork> works_;
  const Turns turns_;
  NetByNow net_;
  Regressed result_;
};

}  // namespace

Regressed regress_layers(Graph& graph, Groups& groups, const Widths& widths,
                         const RegressionOptions& options) {
  COPPICE_CHECK(options.measure != nullptr, "nothing to measure on");
  return Regressing(graph, groups, widths, options).run();
}

}  // namespace coppice
