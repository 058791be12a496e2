// See layer_work.h.
#include "prune/regression/layer_work.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/random.h"
#include "graph/op.h"
#include "graph/prefix.h"
#include "graph/views/linear_layer.h"
#include "prune/regression/unit_readers.h"

namespace coppice {
namespace {

class Planner {
 public:
  Planner(const Graph& graph, const Groups& groups, const Widths& widths)
      : graph_(graph),
        groups_(groups),
        widths_(widths),
        places_(graph),
        computed_by_(producers(graph)),
        changed_(graph.values.size(), 0),
        decides_(graph.nodes.size()),
        loses_(graph.nodes.size(), 0) {
    const std::vector<UnitReaders> readers = unit_readers(graph, groups);
    for (size_t g = 0; g < widths.size(); ++g) {
      if (widths[g] == groups.free[g].units()) continue;
      decides_[readers[g].nodes.front()].push_back(g);
      for (const int32_t n : readers[g].nodes) loses_[n] = 1;
    }
  }

  std::vector<LayerWork> plan(RegressionOptions::Refit refit) {
    std::vector<LayerWork> works;
    for (int32_t n = 0; n < std::ssize(graph_.nodes); ++n) {
      const bool changed = reads_changed(graph_.nodes[n]);
      const bool wanted = changed && refit == RegressionOptions::Refit::changed;
      if (!loses_[n] && !wanted) {
        if (changed) mark(graph_.nodes[n]);
        continue;
      }
      if (auto work = work_at(n)) works.push_back(std::move(*work));
      mark(graph_.nodes[n]);
    }
    return works;
  }

 private:
  bool reads_changed(const Node& node) const {
    const auto is_changed = [&](ValueId id) { return id != kNoValue && changed_[id] != 0; };
    return std::ranges::any_of(node.inputs, is_changed) ||
           std::ranges::any_of(node.captures, is_changed);
  }
  void mark(const Node& node) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) changed_[id] = 1;
    }
  }

  // Nothing for a node that isn't such a layer.
  std::optional<LayerWork> work_at(int32_t n) const {
    const Node& node = graph_.nodes[n];
    const auto layer = contraction_of(graph_, node, groups_.inferred, {});
    if (!layer || layer->group != 1) return std::nullopt;
    const auto place = places_.of(node, *layer);
    if (!place) return std::nullopt;
    LayerWork work{.node = n, .layer = *layer};
    work.vector = place->vector;
    work.factor = place->factor;
    if (place->batch_norm) {
      work.normalised_by = static_cast<int32_t>(place->batch_norm - graph_.nodes.data());
    }
    work.output = node.outputs[0];
    work.decides = decides_[n];
    work.loses = loses_[n] != 0;
    work.unknowns = unknowns_of(*layer);
    work.other = other_side(node, *place, n);
    return work;
  }

  int64_t unknowns_of(const Contraction& layer) const {
    int64_t inputs = layer.inputs;
    for (size_t g = 0; g < widths_.size(); ++g) {
      const Group& group = groups_.free[g];
      for (const Slice& slice : group.slices) {
        if (slice.tensor != layer.weight || slice.axis != layer.input_axis) continue;
        inputs -= (group.units() - widths_[g]) * std::ssize(slice.indices.front());
      }
    }
    return std::max<int64_t>(0, inputs) * layer.taps() + 1;
  }

  // What is added to the layer's output, once the nodes before are done: a computed value of the
  // same shape.
  ValueId other_side(const Node& node, const Place& place, int32_t n) const {
    ValueId value = node.outputs[0];
    if (place.batch_norm) {
      value = place.batch_norm->outputs[0];
    } else if (is_linear_without_bias(node)) {
      value = places_.only_reader(value)->outputs[0];  // behind the sum that holds its bias
    }
    const Node* sum = places_.only_reader(value);
    if (!sum || !is_sum(*sum) || sum->inputs.size() != 2) return kNoValue;
    const ValueId other = sum->inputs[sum->inputs[0] == value ? 1 : 0];
    if (other == value || graph_.value(other).constant) return kNoValue;
    if (!groups_.inferred.has(other) ||
        groups_.inferred.shape(other) != groups_.inferred.shape(value)) {
      return kNoValue;
    }
    return computed_by_[other] < n ? other : kNoValue;
  }

  const Graph& graph_;
  const Groups& groups_;
  const Widths& widths_;
  Places places_;
  std::vector<int32_t> computed_by_;
  std::vector<char> changed_;                 // by value
  std::vector<std::vector<size_t>> decides_;  // by node
  std::vector<char> loses_;
};

}  // namespace

std::vector<LayerWork> layer_works(const Graph& graph, const Groups& groups, const Widths& widths,
                                   const RegressionOptions& options) {
  std::vector<LayerWork> works = Planner(graph, groups, widths).plan(options.refit);
  for (size_t w = 0; w < works.size(); ++w) ask(works[w], graph, groups, options, w);
  return works;
}

void ask(LayerWork& work, const Graph& graph, const Groups& groups,
         const RegressionOptions& options, uint64_t number) {
  const uint64_t seed = Random::stream(options.seed, {number}).next();
  const std::string& name = graph.value(work.output).name;
  work.patches = {name, Reduction::patches, 1, options.points, seed};
  work.samples = {name, Reduction::samples, work.layer.out_axis, options.points, seed};
  work.patches.points = points_of(work.samples, groups.inferred.shape(work.output));
  work.samples.points = work.patches.points;
  work.other_samples = work.samples;
  if (work.other != kNoValue) work.other_samples.value = graph.value(work.other).name;
}

int64_t points_of(const EvidenceRequest& request, const Shape& shape) {
  const int64_t channels = shape[0] * shape[request.axis];
  return std::min(request.points, channels == 0 ? 0 : element_count(shape) / channels);
}

void Asked::add(const LayerWork& work, const EvidenceRequest& own) {
  requests.push_back(own);
  values.push_back(work.output);
  if (work.other == kNoValue) return;
  requests.push_back(work.other_samples);
  values.push_back(work.other);
}

Evidence Asked::measured(const Graph& graph, const Measure& measure) const {
  return measure(prefix_of(graph, values), requests);
}

}  // namespace coppice
