#include "groups/traced.h"

#include "core/error.h"
#include "graph/fitted.h"
#include "groups/one_sample.h"

namespace coppice {
std::shared_ptr<const Traced::Found> Traced::find(const Graph& graph) {
  Groups groups = find_groups(graph);
  const auto told = one_sample_of(graph, groups);
  CostModel costs(graph, groups, told ? *told : infer_fitting(graph, {}).inferred);
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
