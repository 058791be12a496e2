// A graph without some units, as it is written.
#pragma once

#include "groups/groups.h"

namespace coppice {

// The units cut from a copy, whose tensors that stay are shared; then copies of a vector that are
// still equal are merged again, and selections become what is left of them. Throws as remove_units.
Graph cut_out(const Graph& graph, const Groups& groups, const Removal& removal);

}  // namespace coppice
