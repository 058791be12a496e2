// Uneven Splits in a form that every runtime loads.
//
// OpenCV 4.6 takes only a Split into equal parts, whatever sizes it is told, and a cut leaves
// uneven ones. A Slice for each part gives the same.
#pragma once

#include <cstdint>

#include "graph/infer.h"

namespace coppice {

// `inferred`: the graph's shapes. Gives the number of Splits that were written so.
int64_t uneven_splits_to_slices(Graph& graph, const Inferred& inferred);

}  // namespace coppice
