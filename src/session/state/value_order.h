// What an ONNX file doesn't keep of a graph's values: their numbers, and which are copies of which
// (graph/passes/separate_vectors.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace coppice {

struct ValueOrder {
  std::vector<std::string> names;                   // of all values, unused ones too
  std::vector<std::pair<ValueId, ValueId>> copies;  // a copy and what it was made from
};

ValueOrder order_of(const Graph& graph);

// Gives a graph that was written and read again the numbers and copies that it had. Throws
// Error::input naming a value that isn't in the order.
void restore_order(Graph& graph, const ValueOrder& order);

}  // namespace coppice
