#include "groups/tracing/paths.h"

#include <algorithm>

namespace coppice {

Paths::Paths(const Graph& graph, Trace& trace, const std::set<Label>& tags)
    : graph_(graph),
      producer_(producers(graph)),
      readers_(consumers(graph)),
      from_(graph.nodes.size(), kUnmet),
      distance_(graph.nodes.size(), 0) {
  for (const Label tag : tags) carriers_[tag];
  for (size_t i = 0; i < graph.values.size(); ++i) {
    std::set<Label> met;
    for (const Axis& axis : trace.values[i].axes) {
      for (const Label label : axis) {
        for (const Label tag : trace.labels.tags(label)) {
          if (tags.contains(tag)) met.insert(tag);
        }
      }
    }
    for (const Label tag : met) carriers_[tag].push_back(static_cast<ValueId>(i));
  }
}

void Paths::start(ValueId value, Label tag) {
  std::vector<int32_t> starts = readers_[value];
  if (producer_[value] >= 0) starts.push_back(producer_[value]);
  walk(starts, tag);
}

void Paths::start_at(int32_t node, Label tag) { walk({node}, tag); }

// Breadth first, in both directions of the edges.
void Paths::walk(const std::vector<int32_t>& starts, Label tag) {
  const std::vector<ValueId>& carriers = carriers_.at(tag);
  for (const int32_t node : met_) from_[node] = kUnmet;
  met_.clear();
  const auto meet = [&](int32_t node, int32_t previous) {
    if (node < 0 || from_[node] != kUnmet) return;
    from_[node] = previous;
    distance_[node] = previous < 0 ? 0 : distance_[previous] + 1;
    met_.push_back(node);
  };
  for (const int32_t node : starts) meet(node, -1);
  for (size_t next = 0; next < met_.size(); ++next) {
    const int32_t node = met_[next];
    const auto follow = [&](ValueId id) {
      if (id == kNoValue || !std::ranges::binary_search(carriers, id)) return;
      meet(producer_[id], node);
      for (const int32_t reader : readers_[id]) meet(reader, node);
    };
    for (const ValueId id : graph_.nodes[node].outputs) follow(id);
    for (const ValueId id : graph_.nodes[node].inputs) follow(id);
  }
}

std::vector<std::string> Paths::to(int32_t node) const {
  std::vector<std::string> path;
  if (node < 0 || from_[node] == kUnmet) return path;
  for (; node >= 0; node = from_[node]) path.push_back(label_of(graph_, graph_.nodes[node]));
  std::ranges::reverse(path);
  return path;
}

std::vector<std::string> Paths::to_reader(ValueId value) const {
  int32_t nearest = -1;
  for (const int32_t reader : readers_[value]) {
    if (from_[reader] == kUnmet) continue;
    if (nearest < 0 || distance_[reader] < distance_[nearest]) nearest = reader;
  }
  return to(nearest);
}

}  // namespace coppice
