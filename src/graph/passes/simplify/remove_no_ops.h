// Drops nodes that hand their input on unchanged: Identity, Dropout at inference, Cast to the same
// type, Pad by nothing, Slice of everything, Transpose into the same order, and reshaping to the
// same shape.
//
// Readers are pointed at the node's input. A node whose result is one of the graph's outputs stays,
// since the output's name must.
#pragma once

#include <span>

#include "graph/infer.h"

namespace coppice {

// Drops what is idle at the sizes of `inferred`.
void remove_no_ops(Graph& graph, const Inferred& inferred);
// Drops what is idle under each of several inferences, so that it is so at any size.
void remove_no_ops(Graph& graph, std::span<const Inferred> inferences);

}  // namespace coppice
