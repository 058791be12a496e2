#include "prune/compensate/changed_layers.h"

#include <algorithm>
#include <utility>

#include "graph/op.h"
#include "graph/views/batch_norm.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

bool is_layer(const Graph& graph, const Node& node) {
  return linear_layer_of(node) && node.inputs.size() >= 2 && node.inputs[0] != kNoValue &&
         node.inputs[1] != kNoValue && graph.value(node.inputs[1]).constant;
}

class Planner {
 public:
  Planner(const Graph& graph, const Groups& groups, const Removal& removal)
      : graph_(graph),
        groups_(groups),
        removal_(removal),
        places_(graph),
        inferred_(infer(graph, fitting_sizes(graph, {}))),
        changed_(graph.values.size(), 0),
        seen_(graph.values.size(), 0) {
    for (const ValueId id : graph.inputs) seen_[id] = 1;
  }

  ChangedLayers plan() {
    ChangedLayers found;
    for (const Node& node : graph_.nodes) {
      if (reads_other(node)) visit(node, found);
      for (const ValueId id : node.outputs) {
        if (id != kNoValue) seen_[id] = 1;
      }
    }
    return found;
  }

  std::vector<NewBias> new_biases() { return std::move(biases_); }

 private:
  void visit(const Node& node, ChangedLayers& found) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) changed_[id] = 1;
    }
    if (is_layer(graph_, node)) {
      if (auto layer = layer_of(node)) {
        found.layers.push_back(*layer);
      } else {
        ++found.unknown;
      }
    } else if (const auto norm = batch_norm_of(graph_, node)) {
      if (places_.own_vector(norm->mean, norm->channels) &&
          places_.own_vector(norm->variance, norm->channels)) {
        found.batch_norms.push_back(node.outputs[0]);
      }
    }
  }

  bool loses(ValueId id, int64_t axis) const {
    const auto stays = alive(groups_, id, axis, removal_);
    return std::ranges::find(stays, 0) != stays.end();
  }

  // It reads what isn't the original's any more, or sums over less than before.
  bool reads_other(const Node& node) const {
    const auto other = [&](ValueId id) { return id != kNoValue && changed_[id] != 0; };
    if (std::ranges::any_of(node.inputs, other) || std::ranges::any_of(node.captures, other))
      return true;
    if (!is_layer(graph_, node)) return false;
    if (const auto layer = contraction_of(graph_, node, inferred_, {})) {
      return loses(layer->weight, layer->input_axis);
    }
    const auto rank = static_cast<int64_t>(groups_.axes[node.inputs[0]].size());
    const int64_t axis = from_the_front(linear_layer_of(node)->channels, rank);
    return axis >= 0 && axis < rank && loses(node.inputs[0], axis);
  }

  std::optional<ChangedLayer> layer_of(const Node& node) {
    const auto layer = contraction_of(graph_, node, inferred_, {});
    if (!layer) return std::nullopt;
    const auto place = places_.of(node, *layer);
    if (!place) return std::nullopt;
    ChangedLayer found{.output = node.outputs[0],
                       .weight = layer->weight,
                       .vector = place->vector,
                       .factor = place->factor,
                       .axis = layer->out_axis,
                       .features = layer->inputs * layer->taps()};
    const Shape& shape = inferred_.shape(found.output);
    found.positions = element_count(shape) / shape[0] / shape[found.axis];
    if (place->batch_norm) {
      found.behind = place->batch_norm->outputs[0];
      found.batch_norm = true;
    } else if (is_linear_without_bias(node)) {
      found.behind = places_.only_reader(found.output)->outputs[0];
    }
    join_sum(found);
    if (found.vector == kNoValue) {
      biases_.push_back({static_cast<size_t>(&node - graph_.nodes.data()), layer->weight,
                         layer->filter_axis, Tensor::zeros(DType::f32, {layer->filters})});
    }
    return found;
  }

  // Only for the branch that comes last: the other is then as it will be.
  void join_sum(ChangedLayer& layer) const {
    const ValueId own = layer.behind == kNoValue ? layer.output : layer.behind;
    const Node* sum = places_.only_reader(own);
    if (!sum || !is_sum(*sum) || sum->inputs.size() != 2 || sum->inputs[0] == sum->inputs[1])
      return;
    const ValueId other = sum->inputs[sum->inputs[0] == own ? 1 : 0];
    if (!seen_[other] || !inferred_.has(other) || !inferred_.has(own)) return;
    if (inferred_.shape(other) != inferred_.shape(own)) return;
    layer.other = other;
    layer.sum = sum->outputs[0];
  }

  const Graph& graph_;
  const Groups& groups_;
  const Removal& removal_;
  Places places_;
  Inferred inferred_;
  std::vector<char> changed_, seen_;  // by value; seen: it is computed by now
  std::vector<NewBias> biases_;
};

}  // namespace

ChangedLayers changed_layers(Graph& graph, Groups& groups, const Removal& removal) {
  Planner planner(graph, groups, removal);
  ChangedLayers found = planner.plan();
  const std::vector<ValueId> added = add_biases(graph, groups, planner.new_biases());
  auto next = added.begin();
  for (ChangedLayer& layer : found.layers) {
    if (layer.vector == kNoValue) layer.vector = *next++;
  }
  return found;
}

}  // namespace coppice
