#include "graph/passes/fold_weights.h"

#include <algorithm>
#include <set>

#include "core/attempt.h"
#include "graph/is_onnx.h"
#include "graph/op.h"
#include "graph/passes/driver.h"
#include "graph/passes/fold_constants.h"

namespace coppice {
namespace {

// Hands on stored weights, if in another form: what is learnt stays what is stored.
bool keeps_weights(const Node& node) {
  return node.op->moves != Moves::computes || node.op->idle || reads_as(node, 0) == Reads::code ||
         is_onnx(node, "Concat");
}

class Folder {
 public:
  explicit Folder(Graph& graph)
      : graph_(graph),
        nodes_(graph.nodes),
        values_(graph.values.size()),
        arithmetic_(graph.values.size(), 0) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = graph.values[i].constant;
  }

  void run() {
    for (size_t n = 0; n < graph_.nodes.size(); ++n) evaluate(n);
    if (computed_.empty()) return;
    std::vector<char> is_computed(graph_.nodes.size(), 0);
    for (const size_t n : computed_) is_computed[n] = 1;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (is_computed[n]) continue;
      for (const ValueId id : graph_.nodes[n].inputs) take(id);
    }
    if (!graph_.folded.empty()) remove_dead(graph_);
  }

 private:
  void evaluate(size_t n) {
    const Node& node = graph_.nodes[n];
    if (!node.op || !node.op->evaluate || node.inputs.empty() || !node.captures.empty()) return;
    std::vector<const Tensor*> inputs;
    bool arithmetic = !keeps_weights(node);
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && !values_[id]) return;
      inputs.push_back(id == kNoValue ? nullptr : &*values_[id]);
      arithmetic = arithmetic || (id != kNoValue && arithmetic_[id] != 0);
    }
    auto outputs =
        attempt(ErrorKind::input, [&] { return evaluate_operator(graph_, node, inputs); });
    if (!outputs || !*outputs || (*outputs)->size() < node.outputs.size()) return;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] == kNoValue) continue;
      values_[node.outputs[o]] = std::move((**outputs)[o]);
      arithmetic_[node.outputs[o]] = arithmetic;
    }
    computed_.push_back(n);
  }

  // A computed value that a node reads which isn't computed itself.
  void take(ValueId id) {
    if (id == kNoValue || graph_.value(id).constant || !values_[id] || !arithmetic_[id]) return;
    const Tensor& found = *values_[id];
    if (found.dtype() != DType::f32 || found.size() < 2) return;
    FoldedWeight weight{id, found, {}};
    std::set<ValueId> needed{id};
    for (auto n = computed_.rbegin(); n != computed_.rend(); ++n) {
      const Node& node = nodes_[*n];
      const bool gives = std::ranges::any_of(
          node.outputs, [&](ValueId output) { return needed.contains(output); });
      if (!gives) continue;
      for (const ValueId input : node.inputs) {
        if (input != kNoValue) needed.insert(input);
      }
      weight.nodes.push_back(node);
    }
    std::ranges::reverse(weight.nodes);
    graph_.folded.push_back(std::move(weight));
    graph_.value(id).constant = found;
    graph_.value(id).dtype = found.dtype();
    for (Node& node : graph_.nodes) {
      std::ranges::replace(node.outputs, id, kNoValue);
    }
  }

  Graph& graph_;
  const std::vector<Node> nodes_;              // as they were
  std::vector<std::optional<Tensor>> values_;  // what constants come to
  std::vector<char> arithmetic_;               // by ValueId: computed, not only handed on
  std::vector<size_t> computed_;               // nodes, in order
};

}  // namespace

extern const Pass kFoldWeights{"fold-weights", "weights that a file computes become constants"};

void fold_weights(Graph& graph) {
  run_pass(kFoldWeights, graph, [&] { Folder(graph).run(); });
}

void unfold_weights(Graph& graph) {
  std::vector<FoldedWeight> folded = std::move(graph.folded);
  graph.folded.clear();
  std::set<ValueId> given;
  std::vector<Node> nodes;
  for (FoldedWeight& weight : folded) {
    Value& value = graph.value(weight.value);
    if (!value.constant || !(*value.constant == weight.found)) continue;
    value.constant.reset();
    for (Node& node : weight.nodes) {
      if (given.insert(node.outputs.front()).second) nodes.push_back(std::move(node));
    }
  }
  if (folded.empty()) return;
  nodes.insert(nodes.end(), std::make_move_iterator(graph.nodes.begin()),
               std::make_move_iterator(graph.nodes.end()));
  graph.nodes = std::move(nodes);
  remove_dead(graph);
}

}  // namespace coppice
