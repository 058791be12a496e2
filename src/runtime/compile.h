// From graph to plan. Private to `runtime`.
#pragma once

#include "graph/infer.h"
#include "runtime/plan.h"

namespace coppice::runtime {

// Throws Error::input, naming the node, where the type of a value can't be known.
void require_types(const Graph& graph, const Inferred& inferred);
// Folds and simplifies; afterwards all nodes compute something that depends on the inputs.
void simplify(Graph& graph, const Inferred& inferred);
// Requires: simplified. Uses the graph's constants up.
Plan lower(Graph& graph, const Inferred& inferred);

}  // namespace coppice::runtime
