#include "session/state/value_order.h"

#include <unordered_map>

#include "core/error.h"
#include "graph/renumber.h"

namespace coppice {

ValueOrder order_of(const Graph& graph) {
  ValueOrder order;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    order.names.push_back(value.name);
    if (value.copy_of != kNoValue) {
      order.copies.emplace_back(static_cast<ValueId>(i), value.copy_of);
    }
  }
  return order;
}

void restore_order(Graph& graph, const ValueOrder& order) {
  std::unordered_map<std::string, ValueId> found;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    found.emplace(graph.values[i].name, static_cast<ValueId>(i));
  }
  std::vector<ValueId> numbers;
  for (const std::string& name : order.names) {
    const auto value = found.find(name);
    if (value == found.end()) {
      numbers.push_back(add_value(graph, name));  // nobody used it, but its name was taken
    } else {
      numbers.push_back(value->second);
      found.erase(value);
    }
  }
  if (!found.empty()) {
    fail_input("its header has no number for value '" + found.begin()->first + "' of the model");
  }
  renumber(graph, numbers);
  const auto count = static_cast<ValueId>(graph.values.size());
  for (const auto& [copy, original] : order.copies) {
    if (copy >= count || original >= count) {
      fail_input("its header has a copy of value " + std::to_string(original) + " as value " +
                 std::to_string(copy) + ", the model has " + std::to_string(count));
    }
    graph.value(copy).copy_of = original;
  }
}

}  // namespace coppice
