// Masking a model and looking that nothing else changed: what unstructured methods and replayed
// plans have in common.
#pragma once

#include "methods/outcome.h"

namespace coppice {

// A copy of the graph (tensors without a mask are shared) with the masks applied. Throws
// Error::input where masks and graph don't fit.
Outcome mask_weights(const Graph& graph, const Masks& masks, Verify verify);

// Checks that training left every masked weight at zero; anything else is a bug of ours.
void require_zeros(const Graph& graph, const Masks& masks);

}  // namespace coppice
