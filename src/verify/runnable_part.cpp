#include "verify/runnable_part.h"

#include <algorithm>

#include "core/attempt.h"
#include "graph/op.h"
#include "graph/prefix.h"
#include "runtime/reference.h"

namespace coppice {
namespace {

bool can_run(const Graph& graph, const Node& node, const Inferred& inferred) {
  const auto shape_follows = [&](ValueId id) {
    return id == kNoValue || (inferred.has(id) && !inferred.is_reported(id));
  };
  if (!node.op || !std::ranges::all_of(node.outputs, shape_follows)) return false;
  const bool known = std::ranges::all_of(node.outputs, [&](ValueId id) {
    return id == kNoValue || known_value(graph, inferred, id) != nullptr;
  });
  if (known) return true;
  return attempt(ErrorKind::target, [&] { return require_runnable(graph, node), true; })
      .has_value();
}

bool has_elements(DType dtype) {
  return dtype == DType::f32 || dtype == DType::i64 || dtype == DType::i32 ||
         dtype == DType::boolean || dtype == DType::u8 || dtype == DType::i8;
}

// Appends what isn't there yet.
void add(std::vector<ValueId>& ids, ValueId id) {
  if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
}

}  // namespace

RunnablePart runnable_part(const Graph& graph, const Inferred& inferred) {
  RunnablePart part;
  part.given.assign(graph.values.size(), 0);
  const std::vector<char> live = live_values(graph);
  for (const Node& node : graph.nodes) {
    const bool read = std::ranges::any_of(
        node.outputs, [&](ValueId id) { return id != kNoValue && live[id] != 0; });
    if (!read || can_run(graph, node, inferred)) continue;
    part.around.push_back("'" + label_of(graph, node) + "' (" + node.op_type + ")");
    std::vector<ValueId> inputs = node.inputs;
    inputs.insert(inputs.end(), node.captures.begin(), node.captures.end());
    for (const ValueId id : inputs) {
      const bool fed = std::ranges::find(graph.inputs, id) != graph.inputs.end();
      if (id == kNoValue || graph.value(id).constant || !inferred.has(id) || fed) continue;
      if (!part.given[id] && has_elements(inferred.types[id]->dtype)) add(part.outputs, id);
    }
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      part.given[id] = 1;
      if (inferred.has(id)) add(part.inputs, id);
    }
  }
  return part;
}

Graph take_part(Graph graph, const RunnablePart& part, const Inferred& inferred) {
  if (part.whole()) return graph;
  const auto given = [&](ValueId id) {
    return id != kNoValue && static_cast<size_t>(id) < part.given.size() && part.given[id] != 0;
  };
  std::erase_if(graph.nodes,
                [&](const Node& node) { return std::ranges::any_of(node.outputs, given); });
  std::erase_if(graph.outputs, given);
  for (const ValueId id : part.outputs) add(graph.outputs, id);
  if (graph.outputs.empty()) {
    fail_target("nothing can be compared: coppice can't run " + part.around.front() +
                ", and the model gives nothing else");
  }
  for (const ValueId id : part.inputs) feed(graph, id, *inferred.types[id]);
  remove_dead(graph);
  return graph;
}

void leave_out_rounding(Graph& graph) {
  const std::vector<std::vector<int32_t>> readers = consumers(graph);
  std::vector<char> is_output(graph.values.size(), 0);
  for (const ValueId id : graph.outputs) is_output[id] = 1;
  std::vector<ValueId> instead(graph.values.size(), kNoValue);
  const auto counts_in_steps = [](const Node& node, Reads first) {
    return node.op && !node.op->macs && node.outputs.size() == 1 && reads_as(node, 0) == first &&
           reads_as(node, 1) == Reads::step;
  };
  for (Node& node : graph.nodes) {
    for (ValueId& id : node.inputs) {
      if (id != kNoValue && instead[id] != kNoValue) id = instead[id];
    }
    if (!counts_in_steps(node, Reads::data)) continue;
    const ValueId codes = node.outputs[0];
    if (graph.value(node.inputs[0]).constant || is_output[codes]) continue;
    const bool comes_back = std::ranges::all_of(readers[codes], [&](int32_t n) {
      const Node& reader = graph.nodes[n];
      return counts_in_steps(reader, Reads::code) && !is_output[reader.outputs[0]];
    });
    if (!comes_back) continue;
    for (const int32_t n : readers[codes]) instead[graph.nodes[n].outputs[0]] = node.inputs[0];
  }
  remove_dead(graph);
}

}  // namespace coppice
