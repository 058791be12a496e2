#include "groups/traced.h"

#include <algorithm>

#include "core/error.h"
#include "graph/fitted.h"

namespace coppice {
namespace {

bool leaves_sizes_open(const Graph& graph) {
  return std::ranges::any_of(graph.inputs, [&](ValueId id) {
    const auto& declared = graph.value(id).declared;
    return !declared || !std::ranges::all_of(*declared, &Dim::fixed);
  });
}

}  // namespace

std::shared_ptr<const Traced::Found> Traced::find(const Graph& graph) {
  Groups groups = find_groups(graph);
  CostModel costs = leaves_sizes_open(graph)
                        ? CostModel(graph, groups, infer_fitting(graph, {}).inferred)
                        : CostModel(graph, groups, groups.inferred);
  return std::make_shared<const Found>(std::move(groups), std::move(costs));
}

Traced::Traced(Graph graph) : graph_(std::move(graph)), found_(find(graph_)) {}

Traced::Traced(Graph graph, std::shared_ptr<const Found> found)
    : graph_(std::move(graph)), found_(std::move(found)) {
  COPPICE_CHECK(graph_.values.size() == found_->groups.axes.size(), "the tracing of another graph");
}

std::pair<Graph, Groups> Traced::take() && {
  if (found_.use_count() > 1) return {std::move(graph_), found_->groups};
  // Nobody else looks, and `find` made it to be changed: groups of large nets are megabytes.
  return {std::move(graph_), std::move(std::const_pointer_cast<Found>(found_)->groups)};
}

}  // namespace coppice
