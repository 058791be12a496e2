#include "prune/compensate/cut_twin.h"

#include <algorithm>

#include "core/error.h"
#include "groups/cut/surgery.h"

namespace coppice {
namespace {

bool computes(const Node& node, ValueId id) {
  return std::ranges::find(node.outputs, id) != node.outputs.end();
}

const Node& reader_in(const Graph& graph, ValueId weight) {
  const auto found = std::ranges::find_if(graph.nodes, [&](const Node& node) {
    return std::ranges::find(node.inputs, weight) != node.inputs.end();
  });
  COPPICE_CHECK(found != graph.nodes.end(), "a weight that no layer reads");
  return *found;
}

}  // namespace

const Node* producer_in(const Graph& graph, ValueId id) {
  const auto found =
      std::ranges::find_if(graph.nodes, [&](const Node& node) { return computes(node, id); });
  return found == graph.nodes.end() ? nullptr : &*found;
}

ValueId bottleneck_before(const Graph& graph, const std::vector<ValueId>& bottlenecks, ValueId id) {
  ValueId found = kNoValue;
  for (size_t n = 0; n < graph.nodes.size() && !computes(graph.nodes[n], id); ++n) {
    if (bottlenecks[n] != kNoValue) found = bottlenecks[n];
  }
  return found;
}

CutTwin::CutTwin(Graph& graph, const Groups& groups, const Removal& removal, const Measure& measure)
    : graph_(graph), groups_(groups), removal_(removal), cut_(graph), staged_(measure) {
  remove_units(cut_, groups, removal);
  inferred_ = infer(cut_, fitting_sizes(cut_, {}));
  bottlenecks_ = bottlenecks(cut_);
}

const Node* CutTwin::producer(ValueId id) const { return producer_in(cut_, id); }

std::optional<Contraction> CutTwin::layer(const Node& node) const {
  return contraction_of(cut_, node, inferred_, {});
}

std::vector<int64_t> CutTwin::kept(ValueId id, int64_t axis, int64_t size) const {
  const std::vector<char> stays = alive(groups_, id, axis, removal_);
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < size; ++i) {
    if (stays.empty() || stays[i]) kept.push_back(i);
  }
  return kept;
}

Evidence CutTwin::measure(ValueId id, const std::vector<ValueId>& values,
                          std::span<const EvidenceRequest> requests, int64_t images) {
  if (images > 0) staged_.keep(cut_, bottleneck_before(cut_, bottlenecks_, id), images);
  return staged_.measure(cut_, values, requests);
}

void CutTwin::set_weight(const Contraction& layer, const Matrix& weight) {
  coppice::set_weight(*cut_.value(layer.weight).constant, layer, weight);
  const Node& node = reader_in(graph_, layer.weight);
  const auto full = contraction_of(graph_, node, groups_.inferred, {});
  COPPICE_CHECK(full, "a layer that is one only once it is cut");
  Matrix all = weight_of(graph_, *full);
  const auto filters = kept(layer.weight, full->filter_axis, full->filters);
  const auto inputs = kept(layer.weight, full->input_axis, full->inputs);
  const int64_t taps = full->taps();
  for (size_t o = 0; o < filters.size(); ++o) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      all.row(filters[o]).segment(inputs[i] * taps, taps) =
          weight.row(static_cast<int64_t>(o)).segment(static_cast<int64_t>(i) * taps, taps);
    }
  }
  coppice::set_weight(*graph_.value(layer.weight).constant, *full, all);
}

void CutTwin::set_vector(ValueId id, const Vector& numbers) {
  const auto part = cut_.value(id).constant->mutate<float>();
  const auto whole = graph_.value(id).constant->mutate<float>();
  const int64_t axis = graph_.value(id).constant->rank() - 1;
  const auto places = kept(id, axis, std::ssize(whole));
  for (int64_t o = 0; o < numbers.size(); ++o) {
    whole[places[o]] = part[o] = static_cast<float>(numbers[o]);
  }
}

}  // namespace coppice
