// A node is reached where it reads or gives an axis that holds one of the group's units, and where
// it reads what another reached node gives.
#include "groups/cut/reached.h"

#include <algorithm>

#include "graph/prefix.h"

namespace coppice {
namespace {

// By entry of the pool: whether it holds a unit of the group.
std::vector<char> axes_of(const Groups& groups, const Group& group) {
  std::vector<char> axes;
  for (const AxisUnits& axis : groups.axis_pool) {
    axes.push_back(std::ranges::any_of(axis.units, [&](int32_t unit) {
      return unit >= group.first_unit && unit < group.first_unit + group.units();
    }));
  }
  return axes;
}

std::vector<ValueId> read_by(const Node& node) {
  std::vector<ValueId> read;
  for (const ValueId id : node.inputs) {
    if (id != kNoValue) read.push_back(id);
  }
  read.insert(read.end(), node.captures.begin(), node.captures.end());
  return read;
}

bool is_reached(const Node& node, const std::vector<char>& values) {
  const auto reached = [&](ValueId id) { return id != kNoValue && values[id]; };
  return std::ranges::any_of(read_by(node), reached) || std::ranges::any_of(node.outputs, reached);
}

}  // namespace

Reached all_reached(const Graph& graph) {
  return {std::vector<char>(graph.values.size(), 1), graph.inputs};
}

Reached reached_by(const Graph& graph, const Groups& groups, size_t group,
                   const Inferred& inferred) {
  const std::vector<char> axes = axes_of(groups, groups.free[group]);
  Reached reached{std::vector<char>(graph.values.size(), 0), {}};
  for (size_t v = 0; v < groups.axes.size(); ++v) {
    reached.values[v] =
        std::ranges::any_of(groups.axes[v], [&](int32_t axis) { return axis >= 0 && axes[axis]; });
  }
  for (const ValueId id : graph.inputs) reached.values[id] = 0;  // what is fed stays as it is
  std::vector<char> read(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    if (!is_reached(node, reached.values)) continue;
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) reached.values[id] = 1;
    }
    for (const ValueId id : read_by(node)) {
      read[id] = read[id] || (!reached.values[id] && !graph.value(id).constant);
    }
  }
  for (size_t v = 0; v < read.size(); ++v) {
    if (!read[v]) continue;
    if (!inferred.has(static_cast<ValueId>(v))) return all_reached(graph);
    reached.inputs.push_back(static_cast<ValueId>(v));
  }
  return reached;
}

Graph reached_part(Graph cut, const Reached& reached, const Inferred& inferred) {
  const auto may_change = [&](ValueId id) {
    return id != kNoValue &&
           (static_cast<size_t>(id) >= reached.values.size() || reached.values[id]);
  };
  std::erase_if(cut.nodes,
                [&](const Node& node) { return std::ranges::none_of(node.outputs, may_change); });
  std::erase_if(cut.outputs, [&](ValueId id) { return !may_change(id); });
  cut.inputs.clear();
  for (const ValueId id : reached.inputs) {
    if (const Tensor* known = known_value(cut, inferred, id)) {
      cut.value(id).constant = *known;
    } else {
      feed(cut, id, *inferred.types[id]);
    }
  }
  remove_dead(cut);
  return cut;
}

}  // namespace coppice
