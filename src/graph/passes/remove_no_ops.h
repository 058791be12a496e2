// Drops nodes that hand their input on unchanged: Identity, Dropout at inference, Cast to the same
// type, Pad by nothing, Slice of everything, Transpose into the same order, and reshaping to the
// same shape.
//
// Readers are pointed at the node's input. A node whose result is one of the graph's outputs stays,
// since the output's name must.
#pragma once

#include "graph/infer.h"

namespace coppice {

void remove_no_ops(Graph& graph, const Inferred& inferred);

}  // namespace coppice
