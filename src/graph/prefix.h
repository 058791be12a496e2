// The part of a graph that computes some of its values.
#pragma once

#include <utility>
#include <vector>

#include "graph/graph.h"

namespace coppice {

// It gives these values, and holds nothing that they don't need.
inline Graph prefix_of(Graph graph, std::vector<ValueId> outputs) {
  graph.outputs = std::move(outputs);
  remove_dead(graph);
  return graph;
}

}  // namespace coppice
