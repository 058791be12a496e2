// The constants that values merely reshape: exporters put a Transpose or a Reshape between a weight
// and the layer that reads it.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace coppice {

// For each value the constant that it is, or is a Reshape, Transpose, Flatten, Squeeze, Unsqueeze
// or Identity of, through any number of them; kNoValue for none.
std::vector<ValueId> constants_behind(const Graph& graph);

}  // namespace coppice
