#include "graph/passes/fold_weights.h"

#include <algorithm>
#include <set>

#include "core/attempt.h"
#include "graph/is_onnx.h"
#include "graph/op.h"
#include "graph/passes/driver.h"
#include "graph/passes/fold_constants.h"
#include "graph/views/carried.h"

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
    const std::vector<char> could = nodes_of_constants(), wanted = needed_for_weights(could);
    std::vector<char> is_computed = could;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (wanted[n]) is_computed[n] = evaluate(n);
    }
    if (computed_.empty()) return;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (is_computed[n]) continue;
      for (const ValueId id : graph_.nodes[n].inputs) take(id);
    }
    if (!graph_.folded.empty()) remove_dead(graph_);
  }

 private:
  // Those that could be evaluated, as they depend on constants alone.
  std::vector<char> nodes_of_constants() {
    std::vector<char> could(graph_.nodes.size(), 0), known(values_.size(), 0);
    for (size_t i = 0; i < known.size(); ++i) known[i] = values_[i].has_value();
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (!can_evaluate(graph_, node) || node.inputs.empty() || !node.captures.empty()) continue;
      const auto there = [&](ValueId id) { return id == kNoValue || known[id] != 0; };
      if (!std::ranges::all_of(node.inputs, there)) continue;
      could[n] = 1;
      const bool arithmetic =
          !keeps_weights(node) || std::ranges::any_of(node.inputs, [&](ValueId id) {
            return id != kNoValue && arithmetic_[id] != 0;
          });
      for (const ValueId id : node.outputs) {
        if (id == kNoValue) continue;
        known[id] = 1;
        arithmetic_[id] = arithmetic;
      }
    }
    return could;
  }

  // Of these, what computed weights come from. All others stay as they are: codes that are only
  // dequantised take four times their memory.
  std::vector<char> needed_for_weights(const std::vector<char>& could) const {
    std::vector<char> needed(values_.size(), 0), wanted(could.size(), 0);
    for (size_t n = could.size(); n-- > 0;) {
      const Node& node = graph_.nodes[n];
      wanted[n] = could[n] && std::ranges::any_of(node.outputs, [&](ValueId id) {
                    return id != kNoValue && needed[id] != 0;
                  });
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) needed[id] = needed[id] || wanted[n] || (!could[n] && arithmetic_[id]);
      }
    }
    return wanted;
  }

  bool evaluate(size_t n) {
    const Node& node = graph_.nodes[n];
    std::vector<const Tensor*> inputs;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && !values_[id]) return false;
      inputs.push_back(id == kNoValue ? nullptr : &*values_[id]);
    }
    auto outputs =
        attempt(ErrorKind::input, [&] { return evaluate_operator(graph_, node, inputs); });
    if (!outputs || !*outputs || (*outputs)->size() < node.outputs.size()) return false;
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNoValue) values_[node.outputs[o]] = std::move((**outputs)[o]);
    }
    computed_.push_back(n);
    return true;
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
