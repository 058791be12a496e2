#include "prune/prunable_share.h"

#include <algorithm>

#include "graph/cost.h"

namespace coppice {
namespace {

bool can_shrink(const Groups& groups, const Node& node) {
  const auto shrinks = [&](ValueId id) {
    return id != kNoValue &&
           std::ranges::any_of(groups.axes[id], [](int32_t axis) { return axis >= 0; });
  };
  return std::ranges::any_of(node.inputs, shrinks) || std::ranges::any_of(node.outputs, shrinks);
}

}  // namespace

double prunable_macs_share(const Graph& graph, const Groups& groups) {
  std::vector<Shape> shapes(graph.values.size());
  for (size_t id = 0; id < shapes.size(); ++id) {
    if (groups.inferred.types[id]) shapes[id] = groups.inferred.types[id]->shape;
  }
  double prunable = 0, all = 0;
  for (const Node& node : graph.nodes) {
    const auto macs = static_cast<double>(node_macs(node, shapes));
    all += macs;
    if (can_shrink(groups, node)) prunable += macs;
  }
  return all > 0 ? prunable / all : 0;
}

}  // namespace coppice
