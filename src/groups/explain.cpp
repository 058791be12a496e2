#include "groups/explain.h"

#include <algorithm>
#include <deque>

namespace coppice {
namespace {

bool carries(const ValueTrace& value, Labels& labels, Label tag) {
  for (const Axis& axis : value.axes) {
    for (const Label label : axis) {
      const auto tags = labels.tags(label);
      if (std::binary_search(tags.begin(), tags.end(), tag)) return true;
    }
  }
  return false;
}

// Shortest way from `tensor` to node `target` over values that carry the tag: breadth first over
// nodes, in both directions.
std::vector<std::string> path_to(const Graph& graph, Trace& trace, ValueId tensor, Label tag,
                                 int32_t target) {
  std::vector<char> carrying(graph.values.size(), 0);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    carrying[i] = carries(trace.values[i], trace.labels, tag);
  }
  const std::vector<int32_t> producer = producers(graph);
  const std::vector<std::vector<int32_t>> readers = consumers(graph);
  std::vector<int32_t> from(graph.nodes.size(), -2);  // -2: not met, -1: a start
  std::deque<int32_t> open;
  const auto meet = [&](int32_t node, int32_t previous) {
    if (node < 0 || from[node] != -2) return;
    from[node] = previous;
    open.push_back(node);
  };
  for (const int32_t node : readers[tensor]) meet(node, -1);
  while (!open.empty() && (target < 0 || from[target] == -2)) {
    const int32_t node = open.front();
    open.pop_front();
    const auto follow = [&](ValueId id) {
      if (id == kNoValue || !carrying[id]) return;
      meet(producer[id], node);
      for (const int32_t reader : readers[id]) meet(reader, node);
    };
    for (const ValueId id : graph.nodes[node].outputs) follow(id);
    for (const ValueId id : graph.nodes[node].inputs) follow(id);
  }
  std::vector<std::string> path;
  if (target < 0 || from[target] == -2) return path;
  for (int32_t node = target; node >= 0; node = from[node]) {
    path.push_back(label_of(graph, graph.nodes[node]));
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace

std::vector<Pinned> explain_pins(const Graph& graph, Trace& trace) {
  std::vector<Pinned> result;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!graph.values[i].constant || trace.values[i].roles.empty()) continue;
    for (size_t axis = 0; axis < trace.values[i].axes.size(); ++axis) {
      Pinned pinned{static_cast<ValueId>(i), static_cast<int64_t>(axis), 0, {}, "", {}};
      const Pin* reason = nullptr;
      Label witness = kAlways;
      for (const Label label : trace.values[i].axes[axis]) {
        const auto tags = trace.labels.tags(label);
        const auto found = std::find_if(tags.begin(), tags.end(),
                                        [&](Label tag) { return trace.labels.pin_of(tag); });
        if (found == tags.end()) continue;
        ++pinned.indices;
        if (!reason) {
          witness = *found;
          reason = trace.labels.pin_of(witness);
        }
      }
      if (!reason || reason->why == "kernel window") continue;
      pinned.kind = reason->kind;
      pinned.reason = reason->why;
      if (reason->node >= 0) pinned.reason += ", says " + where(graph, graph.nodes[reason->node]);
      pinned.path = path_to(graph, trace, pinned.tensor, witness, reason->node);
      result.push_back(std::move(pinned));
    }
  }
  return result;
}

}  // namespace coppice
