// Groups to leave alone: by name, or because a stream runs through them.

#include <algorithm>
#include <regex>

#include "core/error.h"
#include "graph/op.h"
#include "graph/passes/select_channels.h"
#include "prune/budget/allocate.h"
#include "prune/regex_of.h"

namespace coppice {

std::vector<char> spine_groups(const Graph& graph, const Groups& groups) {
  std::vector<char> spine(groups.free.size(), 0);
  for (const Node& node : graph.nodes) {
    if (!is_sum(node)) continue;
    int computed = 0;
    for (const ValueId id : node.inputs) computed += id != kNoValue && !graph.value(id).constant;
    if (computed < 2) continue;
    for (const int32_t pooled : groups.axes[node.outputs[0]]) {
      if (pooled < 0) continue;
      for (const int32_t unit : groups.axis_pool[pooled].units) spine[group_of(groups, unit)] = 1;
    }
  }
  return spine;
}

std::vector<char> selected_streams(const Graph& graph, const Groups& groups) {
  std::vector<char> streams(groups.free.size(), 0);
  const auto units_of = [&](ValueId value) {
    const int32_t pooled = groups.axes[value].size() < 2 ? -1 : groups.axes[value][1];
    std::vector<int32_t> units;
    if (pooled >= 0) units = groups.axis_pool[pooled].units;
    std::ranges::sort(units);
    return units;
  };
  for (const Node& node : graph.nodes) {
    if (!is_selection(node)) continue;
    const std::vector<int32_t> stream = units_of(node.inputs[0]);
    if (std::ranges::includes(stream, units_of(node.outputs[0]))) continue;
    for (const int32_t unit : stream) streams[group_of(groups, unit)] = 1;
  }
  return streams;
}

std::vector<char> matching_groups(const Graph& graph, const Groups& groups,
                                  const std::string& pattern, const std::string& option) {
  const std::regex regex = regex_of(pattern, option);
  const std::vector<std::vector<int32_t>> readers = consumers(graph);
  std::vector<char> matches(groups.free.size(), 0);
  bool any = false;
  for (size_t g = 0; g < groups.free.size(); ++g) {
    for (const Slice& slice : groups.free[g].slices) {
      if (slice.role == Role::input_channel) continue;  // those belong to the next layer
      bool hit = std::regex_search(graph.value(slice.tensor).name, regex);
      for (const int32_t node : readers[slice.tensor]) {
        hit = hit || std::regex_search(graph.nodes[node].name, regex);
      }
      if (hit) matches[g] = 1;
      any = any || hit;
    }
  }
  if (!any) {
    fail_usage(
        "'" + pattern + "' matches no group",
        {subject_hint(option), task_hint("inspect", "lists the names of groups and layers")});
  }
  return matches;
}

}  // namespace coppice
