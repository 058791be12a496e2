// Parts of a graph: what computes some of its values, and what is computed from them.
#pragma once

#include <utility>
#include <vector>

#include "graph/infer.h"

namespace coppice {

// It gives these values, and holds nothing that they don't need.
inline Graph prefix_of(Graph graph, std::vector<ValueId> outputs) {
  graph.outputs = std::move(outputs);
  remove_dead(graph);
  return graph;
}

// Makes a value an input, of this type. Whoever computed it is left out by the caller.
inline void feed(Graph& graph, ValueId id, const TensorType& type) {
  Value& value = graph.value(id);
  value.dtype = type.dtype;
  Dims& dims = value.declared.emplace();
  for (const int64_t size : type.shape) dims.push_back({size, ""});
  graph.inputs.push_back(id);
}

}  // namespace coppice
