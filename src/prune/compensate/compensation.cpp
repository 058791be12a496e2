// See compensation.h.
#include "prune/compensate/compensation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"
#include "evidence/modelled/contraction.h"
#include "evidence/moments.h"
#include "graph/views/linear_layer.h"
#include "prune/compensate/merge_coefficients.h"
#include "prune/compensate/places.h"

namespace coppice {
namespace {

// What is said of a variance is not trusted beyond these: a layer that seems to lose nearly all of
// it would be blown up.
constexpr double kLeastVariance = 0.05, kMostVariance = 2;

struct Axis {
  std::vector<int64_t> kept, removed;  // input channels
  bool mixed = false;                  // a channel of which some positions leave
};

// All taps of an input channel.
template <typename M>
auto columns(M& weight, const Contraction& layer, int64_t channel) {
  return weight.middleCols(channel * layer.taps(), layer.taps());
}

class Compensation {
 public:
  Compensation(Graph& graph, Groups& groups, const Removal& removal,
               const CompensationOptions& options)
      : graph_(graph), groups_(groups), removal_(removal), options_(options), places_(graph) {}

  // What must be measured of layers that lose inputs.
  std::vector<EvidenceRequest> requests() const {
    std::vector<EvidenceRequest> all;
    const std::vector<int32_t> producer_of = producers(graph_);
    for (const Node& node : graph_.nodes) {
      const auto layer = contraction_of(graph_, node, groups_.inferred, {});
      if (!layer || whole(axis_of(*layer))) continue;
      for (EvidenceRequest& request :
           moment_requests(graph_, groups_.inferred, node, producer_of)) {
        all.push_back(std::move(request));
      }
    }
    return all;
  }

  void see(const Node& node, const InputMoments* input) {
    const auto layer =
        contraction_of(graph_, node, groups_.inferred, input ? input->folded : Shape{});
    if (!layer) {
      count_other(node);
      return;
    }
    const Axis axis = axis_of(*layer);
    if (whole(axis)) return;
    ++result_.layers;
    const bool known = input && input->moments && input->axis == layer->in_axis &&
                       input->channels == layer->inputs;
    const auto place = known && !axis.mixed && layer->group == 1 && !axis.kept.empty()
                           ? places_.of(node, *layer)
                           : std::nullopt;
    if (!place) {
      ++result_.unknown;
      return;
    }
    correct(node, *layer, axis, input->moments(), *place);
  }

  Compensated finish() {
    for (Change& change : changes_) {
      graph_.value(change.id).constant = std::move(change.tensor);
    }
    add_biases(graph_, groups_, std::move(new_biases_));
    return result_;
  }

 private:
  struct Change {
    ValueId id;
    Tensor tensor;
  };

  // A layer whose input weights can't be looked into.
  void count_other(const Node& node) {
    const auto layer = linear_layer_of(node);
    if (!layer || node.inputs.size() < 2 || node.inputs[0] == kNoValue) return;
    if (!graph_.value(node.inputs[1]).constant) return;
    const auto rank = static_cast<int64_t>(groups_.axes[node.inputs[0]].size());
    const int64_t axis = from_the_front(layer->channels, rank);
    if (axis < 0 || axis >= rank) return;
    const std::vector<char> stays = alive(groups_, node.inputs[0], axis, removal_);
    if (std::ranges::find(stays, 0) == stays.end()) return;
    ++result_.layers;
    ++result_.unknown;
  }

  static bool whole(const Axis& axis) { return axis.removed.empty() && !axis.mixed; }
  Axis axis_of(const Contraction& layer) const {
    Axis axis;
    const std::vector<char> stays = alive(groups_, layer.weight, layer.input_axis, removal_);
    if (std::ranges::find(stays, 0) == stays.end()) return axis;
    const bool conv = static_cast<int64_t>(stays.size()) == layer.inputs;
    const int64_t positions = conv ? 1 : layer.taps();
    for (int64_t i = 0; i < layer.inputs; ++i) {
      const auto first = stays.begin() + i * positions;
      const auto alive_count = std::count(first, first + positions, 1);
      if (alive_count != 0 && alive_count != positions) axis.mixed = true;
      (alive_count == 0 ? axis.removed : axis.kept).push_back(i);
    }
    return axis;
  }

  void correct(const Node& node, const Contraction& layer, const Axis& axis, const Moments& moments,
               const Place& place) {
    const Matrix before = weight_of(graph_, layer);
    Matrix after = before;
    for (const int64_t c : axis.removed) columns(after, layer, c).setZero();
    if (options_.merge) merge(before, after, layer, axis, moments.covariance);
    if (options_.bias || options_.merge) {
      const Vector lost = layer.scale * output_mean(layer, before - after, moments.mean);
      add_to_place(node, layer, place, lost);
    }
    if (options_.scale && place.batch_norm) scale(layer, before, after, moments, *place.batch_norm);
    if (options_.merge) {
      // What leaves stays as it was: the plan cuts it.
      for (const int64_t c : axis.removed) columns(after, layer, c) = columns(before, layer, c);
      Change change{layer.weight, *graph_.value(layer.weight).constant};
      set_weight(change.tensor, layer, after);
      changes_.push_back(std::move(change));
      ++result_.merge;
    }
  }

  void merge(const Matrix& before, Matrix& after, const Contraction& layer, const Axis& axis,
             const Matrix& covariance) const {
    const Matrix alpha = merge_coefficients(covariance, axis.kept, axis.removed);
    for (size_t k = 0; k < axis.kept.size(); ++k) {
      for (size_t c = 0; c < axis.removed.size(); ++c) {
        columns(after, layer, axis.kept[k]) +=
            alpha(static_cast<int64_t>(k), static_cast<int64_t>(c)) *
            columns(before, layer, axis.removed[c]);
      }
    }
  }

  void add_to_place(const Node& node, const Contraction& layer, const Place& place,
                    const Vector& lost) {
    const bool fresh = place.vector == kNoValue;
    Tensor vector =
        fresh ? Tensor::zeros(DType::f32, {layer.filters}) : *graph_.value(place.vector).constant;
    const auto element = vector.mutate<float>();
    for (int64_t o = 0; o < layer.filters; ++o) {
      element[o] = static_cast<float>(element[o] + place.factor * lost[o]);
    }
    ++result_.bias;
    if (!fresh) {
      changes_.push_back({place.vector, std::move(vector)});
      return;
    }
    new_biases_.push_back({static_cast<size_t>(&node - graph_.nodes.data()), layer.weight,
                           layer.filter_axis, std::move(vector)});
  }

  void scale(const Contraction& layer, const Matrix& before, const Matrix& after,
             const Moments& moments, const Node& batch_norm) {
    const ValueId id = batch_norm.inputs[4];
    if (!places_.own_vector(id, layer.filters)) return;
    const Matrix taps = tap_correlation(layer);
    const Vector full = output_variance(before, moments.covariance, taps);
    const Vector left = output_variance(after, moments.covariance, taps);
    Tensor variance = *graph_.value(id).constant;
    const auto element = variance.mutate<float>();
    for (int64_t o = 0; o < layer.filters; ++o) {
      if (full[o] <= 0) continue;
      element[o] *=
          static_cast<float>(std::clamp(left[o] / full[o], kLeastVariance, kMostVariance));
    }
    changes_.push_back({id, std::move(variance)});
    ++result_.scale;
  }

  Graph& graph_;
  Groups& groups_;
  const Removal& removal_;
  CompensationOptions options_;
  Places places_;
  std::vector<Change> changes_;  // applied at the end: what is followed is the original
  std::vector<NewBias> new_biases_;
  Compensated result_;
};

}  // namespace

Compensated compensate(Graph& graph, Groups& groups, const Removal& removal,
                       const CompensationOptions& options) {
  COPPICE_CHECK(static_cast<int32_t>(removal.size()) == groups.unit_count,
                "a removal of other groups");
  Compensation recovery(graph, groups, removal, options);
  const auto see = [&](const Node& node, const InputMoments* input) { recovery.see(node, input); };
  if (options.measure) {
    visit_measured(graph, groups.inferred, options.measure(graph, recovery.requests()), see);
  } else {
    visit_modelled(graph, groups.inferred, see);
  }
  return recovery.finish();
}

}  // namespace coppice
