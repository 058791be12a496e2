// Selections of channels in a form that every runtime loads.
//
// OpenCV 4.6 refuses a Gather of more than one channel. A convolution of one pixel whose weights
// are zeros and ones gives the same channels, in the same order, exactly; where a runtime joins it
// with what is behind it, as fast.
#pragma once

#include "graph/infer.h"

namespace coppice {

// Writes Gathers of channels (axis 1 of images, by a list that is constant) as convolutions.
// `inferred`: the graph's shapes. Gives the number of them.
int64_t selections_to_convolutions(Graph& graph, const Inferred& inferred);

}  // namespace coppice
