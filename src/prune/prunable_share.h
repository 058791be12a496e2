// How much of a network's work is in layers that can lose channels.
#pragma once

#include "graph/graph.h"
#include "groups/groups.h"

namespace coppice {

// The share of the multiply-accumulates, at the traced sizes, of nodes that read or give an axis
// with something to remove; 0 for a graph without any.
double prunable_macs_share(const Graph& graph, const Groups& groups);

}  // namespace coppice
