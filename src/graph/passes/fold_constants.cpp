// One walk in topological order: a value becomes constant when inference knows it, or when its
// node reads constants alone and can be evaluated. Unlike inference's own folding there is no
// limit on size, since weights may be computed from weights.

#include "graph/passes/fold_constants.h"

#include <algorithm>

#include "core/error.h"
#include "graph/passes/driver.h"
#include "graph/views/carried.h"

namespace coppice {
namespace {

bool all_known(const Graph& graph, const Inferred& inferred, const Node& node) {
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
    return id == kNoValue || known_value(graph, inferred, id) != nullptr;
  });
}

// The node's inputs, if every one of them is constant.
std::optional<std::vector<const Tensor*>> constant_inputs(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || !node.captures.empty()) return std::nullopt;
  std::vector<const Tensor*> inputs;
  for (const ValueId id : node.inputs) {
    if (id != kNoValue && !graph.value(id).constant) return std::nullopt;
    inputs.push_back(id == kNoValue ? nullptr : &*graph.value(id).constant);
  }
  return inputs;
}

void set_constant(Graph& graph, ValueId id, Tensor tensor) {
  graph.value(id).dtype = tensor.dtype();
  graph.value(id).constant = std::move(tensor);
}

// Whether all the node's outputs are constants now.
bool fold(Graph& graph, const Inferred& inferred, const EvaluateNode& evaluate, const Node& node) {
  if (all_known(graph, inferred, node)) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && !graph.value(id).constant) set_constant(graph, id, *inferred.known[id]);
    }
    return true;
  }
  const auto inputs = constant_inputs(graph, node);
  if (!inputs) return false;
  auto outputs = evaluate(graph, node, *inputs);
  if (!outputs || outputs->size() < node.outputs.size()) return false;
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNoValue) {
      set_constant(graph, node.outputs[o], std::move((*outputs)[o]));
    }
  }
  return true;
}

}  // namespace

std::optional<std::vector<Tensor>> evaluate_operator(const Graph& graph, const Node& node,
                                                     std::span<const Tensor* const> inputs) {
  if (!can_evaluate(graph, node)) return std::nullopt;
  return node.op->evaluate(graph, node, inputs);
}

extern const Pass kFoldConstants{"fold-constants", "computes what depends on constants alone"};

void fold_constants(Graph& graph, const Inferred& inferred, const EvaluateNode& evaluate) {
  run_pass(kFoldConstants, graph, [&] {
    COPPICE_CHECK(inferred.types.size() == graph.values.size(), "inference of another graph");
    std::vector<Node> kept;
    for (Node& node : graph.nodes) {
      if (!fold(graph, inferred, evaluate, node)) kept.push_back(std::move(node));
    }
    graph.nodes = std::move(kept);
    remove_dead(graph);
  });
}

}  // namespace coppice
