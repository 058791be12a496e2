// After a cut: attributes and inputs that hold sizes are made true again, node by node.
#pragma once

#include "groups/groups.h"

namespace coppice {

// Requires: constants are cut already; `groups` still describes the graph before.
void repair_nodes(Graph& graph, const Groups& groups, const Removal& removal);

}  // namespace coppice
