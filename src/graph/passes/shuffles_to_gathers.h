// Channel shuffles as index maps.
//
//   before   Reshape (C -> g x k), Transpose (g and k change places), Reshape (-> C)
//   or       Reshape, Transpose, Reshape, Gather (half of the channels)
//   after    Gather(axis, constant indices)
//
// As long as a shuffle is a product of axes, what follows must lose the same positions of every
// group, and over a few blocks that ties nearly all channels of a ShuffleNet. An index map has no
// such ties. What a chain of Reshape, Transpose, Gather and the like does is seen by sending the
// numbers of its elements through it, at two batches; where a Transpose is in it and it comes to
// picking from one axis, other than a plain range, its last node becomes that pick.
#pragma once

#include "graph/graph.h"

namespace coppice {

void shuffles_to_gathers(Graph& graph);

}  // namespace coppice
