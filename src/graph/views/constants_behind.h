// The constants that values merely reshape: exporters put a Transpose or a Reshape between a weight
// and the layer that reads it.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace coppice {

// For each value the constant that it is, or that nodes which only move elements (Reshape,
// Transpose, Identity and the like, any number of them) or cast to the type that it has already
// make it of; kNoValue for none.
std::vector<ValueId> constants_behind(const Graph& graph);

}  // namespace coppice
