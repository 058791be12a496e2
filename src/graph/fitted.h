// Shape inference at sizes that the graph fits, and how often it was done.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/infer.h"

namespace coppice {

struct Fitted {
  InputSizes sizes;
  Inferred inferred;
};

// fitting_sizes, and what `infer` gives at them, without inferring once more. Throws as `infer`
// does.
Fitted infer_fitting(const Graph& graph, const InputSizes& sizes);

// By ValueId, as node_macs takes them; empty where a shape isn't known.
std::vector<Shape> shape_table(const Inferred& inferred);

// How many times this thread has inferred a graph's shapes, for tests: on large graphs it costs
// more than anything else that is done without running them.
int64_t inferences();

}  // namespace coppice
