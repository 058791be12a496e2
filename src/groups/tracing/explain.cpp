#include "groups/tracing/explain.h"

#include <algorithm>
#include <map>
#include <set>

#include "graph/fitted.h"
#include "groups/tracing/paths.h"

namespace coppice {
namespace {

constexpr char kKernelWindow[] = "kernel window";

// What pins an axis: the reason of its first pinned index, and how many are pinned.
struct Witness {
  Pinned pinned;
  Label tag = kAlways;
  int32_t node = -1;  // that gives the reason
};

std::optional<Witness> witness_of(const Graph& graph, Trace& trace, ValueId id, int64_t axis) {
  Witness witness;
  witness.pinned = {id, axis, 0, {}, "", {}};
  const Pin* reason = nullptr;
  for (const Label label : trace.values[id].axes[axis]) {
    const auto tags = trace.labels.tags(label);
    const auto found =
        std::ranges::find_if(tags, [&](Label tag) { return trace.labels.pin_of(tag) != nullptr; });
    if (found == tags.end()) continue;
    ++witness.pinned.indices;
    if (reason) continue;
    witness.tag = *found;
    reason = trace.labels.pin_of(witness.tag);
  }
  if (!reason || reason->why == kKernelWindow) return std::nullopt;
  witness.node = reason->node;
  witness.pinned.kind = reason->kind;
  witness.pinned.reason = reason->why;
  if (reason->node >= 0) {
    witness.pinned.reason += ", says " + where(graph, graph.nodes[reason->node]);
  }
  return witness;
}

bool is_weight(const Graph& graph, const Trace& trace, ValueId id) {
  return graph.value(id).constant && !trace.values[id].roles.empty();
}

// The free tags of an axis, in order of their first index.
std::vector<Label> free_tags(Trace& trace, ValueId id, int64_t axis) {
  std::vector<Label> free;
  std::set<Label> met;
  for (const Label label : trace.values[id].axes[axis]) {
    for (const Label tag : trace.labels.tags(label)) {
      if (!trace.labels.pin_of(tag) && met.insert(tag).second) free.push_back(tag);
    }
  }
  return free;
}

int64_t count_with(Trace& trace, const Axis& axis, const std::set<Label>& wanted) {
  return std::ranges::count_if(axis, [&](Label label) {
    return std::ranges::any_of(trace.labels.tags(label),
                               [&](Label tag) { return wanted.contains(tag); });
  });
}

class NodeExplainer {
 public:
  NodeExplainer(const Graph& graph, Trace& trace, int32_t node)
      : graph_(graph), trace_(trace), node_(node) {}

  std::vector<Coupling> explain() {
    collect();
    std::set<Label> tags;
    for (const Entry& entry : entries_) {
      if (!entry.tags.empty()) tags.insert(entry.tags.front());
      if (entry.witness) tags.insert(entry.witness->tag);
    }
    Paths paths(graph_, trace_, tags);
    std::vector<Coupling> result;
    for (const Entry& entry : entries_) result.push_back(coupling_of(entry, paths));
    return result;
  }

 private:
  struct Entry {
    ValueId value;
    int64_t axis;
    std::vector<Label> tags;
    std::optional<Witness> witness;
  };

  void collect() {
    const Node& node = graph_.nodes[node_];
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && is_weight(graph_, trace_, id)) collect_value(id);
    }
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) collect_value(id);
    }
  }

  void collect_value(ValueId id) {
    for (size_t axis = 0; axis < trace_.values[id].axes.size(); ++axis) {
      Entry entry{id, static_cast<int64_t>(axis), {}, {}};
      entry.tags = free_tags(trace_, id, entry.axis);
      entry.witness = witness_of(graph_, trace_, id, entry.axis);
      if (!entry.tags.empty() || entry.witness) entries_.push_back(std::move(entry));
    }
  }

  Coupling coupling_of(const Entry& entry, Paths& paths) {
    Coupling coupling{entry.value, entry.axis, 0, 0, {}, {}};
    const Axis& axis = trace_.values[entry.value].axes[entry.axis];
    const std::set<Label> tags(entry.tags.begin(), entry.tags.end());
    coupling.indices = std::ssize(axis);
    coupling.free = count_with(trace_, axis, tags);
    if (entry.witness) {
      coupling.pinned = entry.witness->pinned;
      paths.start_at(node_, entry.witness->tag);
      coupling.pinned->path = paths.to(entry.witness->node);
    }
    if (entry.tags.empty()) return coupling;
    paths.start_at(node_, entry.tags.front());
    for (const ValueId id : paths.carriers(entry.tags.front())) {
      if (!is_weight(graph_, trace_, id)) continue;
      for (size_t other = 0; other < trace_.values[id].axes.size(); ++other) {
        if (id == entry.value && static_cast<int64_t>(other) == entry.axis) continue;
        const int64_t indices = count_with(trace_, trace_.values[id].axes[other], tags);
        if (indices == 0) continue;
        coupling.ties.push_back({id, static_cast<int64_t>(other), indices, paths.to_reader(id)});
      }
    }
    std::ranges::stable_sort(
        coupling.ties, [](const Tie& a, const Tie& b) { return a.path.size() < b.path.size(); });
    return coupling;
  }

  const Graph& graph_;
  Trace& trace_;
  int32_t node_;
  std::vector<Entry> entries_;
};

}  // namespace

std::vector<Pinned> explain_pins(const Graph& graph, Trace& trace) {
  std::vector<Witness> witnesses;
  std::set<Label> tags;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (!is_weight(graph, trace, id)) continue;
    for (size_t axis = 0; axis < trace.values[i].axes.size(); ++axis) {
      auto witness = witness_of(graph, trace, id, static_cast<int64_t>(axis));
      if (!witness) continue;
      tags.insert(witness->tag);
      witnesses.push_back(std::move(*witness));
    }
  }
  Paths paths(graph, trace, tags);
  std::vector<Pinned> result;
  for (Witness& witness : witnesses) {
    if (witness.node >= 0) {
      paths.start(witness.pinned.tensor, witness.tag);
      witness.pinned.path = paths.to(witness.node);
    }
    result.push_back(std::move(witness.pinned));
  }
  return result;
}

std::vector<Coupling> explain_node(const Graph& graph, int32_t node, const GroupOptions& options) {
  Trace traced = trace(graph, infer_fitting(graph, options.sizes).inferred, options.trace);
  return NodeExplainer(graph, traced, node).explain();
}

}  // namespace coppice
