// Clips in a form that every runtime loads.
//
// OpenCV 4.6 refuses a Clip whose bounds are inputs, as they are from opset 11 on, and so every
// MobileNet. Sums of Relus give the same numbers, but for rounding.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace coppice {

// clip(x) = low + relu(x - low) - relu(x - high), for bounds that are constants; one that is left
// out, or a zero to add, needs no node. Gives the number of Clips that were written so.
int64_t clips_to_relus(Graph& graph);

}  // namespace coppice
