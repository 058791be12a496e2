// What a model says of how it was pruned, in its metadata, where any tool shows it: coppice.method,
// coppice.budget, coppice.version, coppice.original_sha256. A model that is pruned again says the
// last time only; the sum leads to the file before.
#pragma once

#include "graph/graph.h"
#include "prune/plan/plan.h"

namespace coppice {

// Entries of an earlier pruning are replaced, and those that `plan` doesn't know leave.
void say_how_pruned(Graph& graph, const Plan& plan);

}  // namespace coppice
