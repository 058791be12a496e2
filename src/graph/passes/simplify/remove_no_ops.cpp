// Readers are renamed in one walk: since nodes are in order, a chain of no-ops collapses at once.

#include "graph/passes/simplify/remove_no_ops.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "graph/op.h"
#include "graph/passes/driver.h"
#include "graph/passes/halves.h"
#include "graph/views/only_reshapes.h"

namespace coppice {
namespace {

// What `node` gives is of the type and shape that it reads, in the file, too.
bool same_type(const Graph& graph, const Node& node, const Inferred& inferred) {
  const auto stored = [&](ValueId id) { return stored_type(graph.value(id)); };
  if (stored(node.inputs[0]) != stored(node.outputs[0])) return false;
  if (!inferred.has(node.inputs[0]) || !inferred.has(node.outputs[0])) return false;
  const TensorType& from = *inferred.types[node.inputs[0]];
  const TensorType& to = *inferred.types[node.outputs[0]];
  return from.dtype == to.dtype && from.shape == to.shape;
}

bool does_nothing(const Graph& graph, const Inferred& inferred, const Node& node) {
  const bool may_be_idle = only_reshapes(node) || (node.op && node.op->idle);
  if (!may_be_idle || !same_type(graph, node, inferred)) return false;
  if (!node.op->idle) return true;
  std::vector<const Tensor*> known;
  for (const ValueId id : node.inputs) {
    known.push_back(id == kNoValue ? nullptr : known_value(graph, inferred, id));
  }
  return node.op->idle(node, inferred.shape(node.inputs[0]), known);
}

}  // namespace

void remove_no_ops(Graph& graph, const Inferred& inferred) {
  remove_no_ops(graph, std::span(&inferred, 1));
}

extern const Pass kRemoveNoOps{"remove-no-ops", "nodes that give what they get"};

void remove_no_ops(Graph& graph, std::span<const Inferred> inferences) {
  run_pass(kRemoveNoOps, graph, [&] {
    std::vector<ValueId> stands_for(graph.values.size());
    std::iota(stands_for.begin(), stands_for.end(), 0);
    std::vector<char> named(graph.values.size(), 0);  // must keep its name
    for (const ValueId id : graph.outputs) named[id] = 1;
    for (const Node& node : graph.nodes) {
      // Captured names are read inside subgraphs, which aren't rewritten.
      for (const ValueId id : node.captures) named[id] = 1;
    }
    for (Node& node : graph.nodes) {
      for (ValueId& id : node.inputs) {
        if (id != kNoValue) id = stands_for[id];
      }
      const ValueId output = node.outputs.empty() ? kNoValue : node.outputs[0];
      if (output == kNoValue || named[output]) continue;
      const bool idle = std::ranges::all_of(inferences, [&](const Inferred& inferred) {
        return does_nothing(graph, inferred, node);
      });
      if (!idle) continue;
      stands_for[output] = node.inputs[0];
    }
    remove_dead(graph);
  });
}

}  // namespace coppice
