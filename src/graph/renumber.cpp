#include "graph/renumber.h"

#include <utility>

#include "core/error.h"

namespace coppice {
namespace {

class Numbers {
 public:
  explicit Numbers(const std::vector<ValueId>& order) : now_(order.size(), kNoValue) {
    for (size_t i = 0; i < order.size(); ++i) now_.at(order[i]) = static_cast<ValueId>(i);
    for (const ValueId id : now_) COPPICE_CHECK(id != kNoValue, "an order that leaves values out");
  }

  void change(ValueId& id) const {
    if (id != kNoValue) id = now_[id];
  }
  void change(std::vector<ValueId>& ids) const {
    for (ValueId& id : ids) change(id);
  }
  void change(Node& node) const {
    change(node.inputs);
    change(node.outputs);
    change(node.captures);
  }
  void change(std::unordered_map<ValueId, std::string>& carried) const {
    std::unordered_map<ValueId, std::string> changed;
    for (auto& [id, bytes] : carried) changed.emplace(now_[id], std::move(bytes));
    carried = std::move(changed);
  }

 private:
  std::vector<ValueId> now_;  // by the number before
};

}  // namespace

void renumber(Graph& graph, const std::vector<ValueId>& order) {
  COPPICE_CHECK(order.size() == graph.values.size(), "an order of other values");
  const Numbers numbers(order);
  std::vector<Value> values;
  values.reserve(order.size());
  for (const ValueId id : order) {
    values.push_back(std::move(graph.value(id)));
    numbers.change(values.back().copy_of);
  }
  graph.values = std::move(values);
  for (Node& node : graph.nodes) numbers.change(node);
  for (FoldedWeight& weight : graph.folded) {
    numbers.change(weight.value);
    for (Node& node : weight.nodes) numbers.change(node);
  }
  for (FunctionCall& call : graph.calls) {
    numbers.change(call.call);
    for (Node& node : call.body) numbers.change(node);
    for (auto& [id, tensor] : call.constants) numbers.change(id);
  }
  numbers.change(graph.inputs);
  numbers.change(graph.outputs);
  numbers.change(graph.foreign.initialisers);
  numbers.change(graph.foreign.listed_inputs);
  numbers.change(graph.foreign.value_infos);
  numbers.change(graph.foreign.infos);
  numbers.change(graph.foreign.tensors);
}

}  // namespace coppice
