// Channel shuffles as index maps.
//
//   before   Reshape (C -> g x k), Transpose (g and k change places), Reshape (-> C)
//   after    Gather(axis, constant indices)
//
// As long as a shuffle is a product of axes, what follows must lose the same positions of every
// group, and over a few blocks that ties nearly all channels of a ShuffleNet. An index map has no
// such ties. Requires, and so the pass checks: one axis of a size that doesn't depend on the batch
// is split, permuted within itself and joined again; nobody else reads what lies between.
#pragma once

#include "graph/graph.h"

namespace coppice {

void shuffles_to_gathers(Graph& graph);

}  // namespace coppice
