// Replaces shape arithmetic that comes to the same at whatever sizes the graph is run: how many
// channels a value has, say, which exporters ask the value for. Sizes of a Reshape that vary with
// one open size alone are said by -1, or by 0 where they are its input's own.
//
// Runtimes with old importers load shapes that are constants and no others.
#pragma once

#include <span>

#include "graph/infer.h"

namespace coppice {

// The graph at two sets of sizes that differ wherever sizes are open and may differ: a Gemm behind
// a Flatten, say, leaves only the batch open.
std::vector<Inferred> at_two_sizes(const Graph& graph);

// `inferences`: at_two_sizes; of fewer nothing is known to be the same at all.
void fold_shapes(Graph& graph, std::span<const Inferred> inferences);

}  // namespace coppice
