// Values under other numbers.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace coppice {

// The value order[i] becomes number i; everything that refers to it follows. `order` holds every
// ValueId of the graph once.
void renumber(Graph& graph, const std::vector<ValueId>& order);

}  // namespace coppice
