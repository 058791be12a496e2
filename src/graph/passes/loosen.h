// What a graph goes through before its channels are traced: rewrites that change nothing it
// computes, but take ties away that only the exporter's way of writing made.
#pragma once

#include "graph/graph.h"

namespace coppice {

// Channel shuffles become index maps, merged vectors come apart (see the passes' own headers).
void loosen(Graph& graph);

}  // namespace coppice
