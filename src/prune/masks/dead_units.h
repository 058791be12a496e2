// Units that masks have left without any connection on one side.
//
// Source: Han, Pool, Tran, Dally, "Learning both Weights and Connections for Efficient Neural
// Networks", NIPS 2015, arXiv:1506.02626, Sec. 3.5: neurons with no input or no output connection
// are removed, with their connections on the other side.
#pragma once

#include "groups/groups.h"
#include "prune/masks/masks.h"

namespace coppice {

// Masks, as `masks` and smaller, in which a unit either has connections on both sides or none: a
// unit all of whose filters are masked, or everything that reads it, loses the rest; repeated until
// no unit dies any more. Units that a layer without a mask reads or gives live. `groups`: of the
// graph; masks are of the shapes of its constants. What a dead unit still adds (its bias, seen
// through an activation) leaves with it: that changes the function, so train afterwards.
Masks without_dead_units(const Graph& graph, const Groups& groups, Masks masks);

}  // namespace coppice
