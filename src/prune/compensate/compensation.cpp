// See compensation.h.
#include "prune/compensate/compensation.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/error.h"
#include "evidence/modelled/contraction.h"
#include "evidence/moments.h"
#include "graph/op.h"
#include "graph/value_names.h"
#include "graph/views/batch_norm.h"
#include "graph/views/linear_layer.h"
#include "prune/compensate/merge_coefficients.h"

namespace coppice {
namespace {

// What is said of a variance is not trusted beyond these: a layer that seems to lose nearly all of
// it would be blown up.
constexpr double kLeastVariance = 0.05, kMostVariance = 2;

// Where the means of what left go: a vector with one number a filter, constant += factor * mean.
struct Place {
  ValueId vector = kNoValue;  // kNoValue: input `input` of the layer's node gets a new one
  double factor = 1;
  const Node* batch_norm = nullptr;  // behind the layer, if nobody else reads it
};

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
      : graph_(graph),
        groups_(groups),
        removal_(removal),
        options_(options),
        readers_(consumers(graph)),
        is_output_(graph.values.size(), 0) {
    for (const ValueId id : graph.outputs) is_output_[id] = 1;
  }

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
                           ? place_for(node, *layer)
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
    add_biases();
    return result_;
  }

 private:
  struct Change {
    ValueId id;
    Tensor tensor;
  };
  struct NewBias {
    size_t node;
    ValueId weight;
    int64_t filter_axis;
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

  bool own_vector(ValueId id, int64_t size) const {
    if (id == kNoValue || readers_[id].size() != 1) return false;
    const auto& constant = graph_.value(id).constant;
    return constant && constant->dtype() == DType::f32 && constant->size() == size &&
           constant->shape().back() == size && !is_output(id);
  }
  bool is_output(ValueId id) const { return is_output_[id] != 0; }

  // The node that reads the value, if it is the only one.
  const Node* only_reader(ValueId id) const {
    if (is_output(id) || readers_[id].size() != 1) return nullptr;
    return &graph_.nodes[readers_[id][0]];
  }

  std::optional<Place> place_for(const Node& node, const Contraction& layer) const {
    if (readers_[layer.weight].size() != 1 || is_output(layer.weight)) return std::nullopt;
    const Node* reader = only_reader(node.outputs[0]);
    if (reader && is_batch_norm_at_inference(*reader) && reader->inputs.size() == 5 &&
        reader->inputs[0] == node.outputs[0] && layer.out_axis == 1) {
      if (!own_vector(reader->inputs[3], layer.filters)) return std::nullopt;
      return Place{reader->inputs[3], -1, reader};
    }
    const auto linear = linear_layer_of(node);
    if (linear->bias < 0) return place_in_sum(reader, layer);
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    if (!has_bias) return Place{};
    const double beta = linear->bias_scale;
    if (beta == 0 || !own_vector(node.inputs[2], layer.filters)) return std::nullopt;
    return Place{node.inputs[2], 1 / beta, nullptr};
  }

  // A layer without a bias of its own often has a sum behind it.
  std::optional<Place> place_in_sum(const Node* reader, const Contraction& layer) const {
    if (!reader || !is_sum(*reader)) return std::nullopt;
    for (const ValueId id : reader->inputs) {
      if (own_vector(id, layer.filters)) return Place{id, 1, nullptr};
    }
    return std::nullopt;
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
    if (!own_vector(id, layer.filters)) return;
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

  // A new vector belongs to the units of its layer's filters.
  void add_biases() {
    ValueNames names(graph_);
    std::map<std::pair<ValueId, int64_t>, ValueId> of_filters;  // (weight, axis) -> the vector
    for (NewBias& bias : new_biases_) {
      const ValueId id = add_bias(bias, names);
      of_filters.emplace(std::pair(bias.weight, bias.filter_axis), id);
    }
    for (Group& group : groups_.free) {
      std::vector<Slice> added;
      for (const Slice& slice : group.slices) {
        const auto found = of_filters.find({slice.tensor, slice.axis});
        if (found != of_filters.end())
          added.push_back({found->second, 0, Role::bias, slice.indices});
      }
      std::ranges::stable_sort(added, {}, &Slice::tensor);
      group.slices.insert(group.slices.end(), added.begin(), added.end());
    }
  }

  ValueId add_bias(NewBias& bias, ValueNames& names) {
    const std::string stem = graph_.value(bias.weight).name + "_bias";
    const ValueId id = add_constant(graph_, names.unused(stem), std::move(bias.tensor));
    Node& node = graph_.nodes[bias.node];
    node.inputs.resize(3, kNoValue);
    node.inputs[2] = id;
    groups_.axes.push_back(
        {groups_.axes[bias.weight].empty() ? -1 : groups_.axes[bias.weight][bias.filter_axis]});
    const Tensor& tensor = *graph_.value(id).constant;
    groups_.inferred.types.push_back(TensorType{DType::f32, tensor.shape()});
    groups_.inferred.known.push_back(std::nullopt);
    return id;
  }

  Graph& graph_;
  Groups& groups_;
  const Removal& removal_;
  CompensationOptions options_;
  std::vector<std::vector<int32_t>> readers_;
  std::vector<char> is_output_;
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
