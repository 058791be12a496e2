// What ONNX lets a file leave unsaid, said: OpenCV asks for the kernel's size of a convolution
// (4.6), which the weight tells, too, and for the shapes of outputs (4.6 and 4.10).
#pragma once

#include "graph/graph.h"

namespace coppice {

// Sizes that vary with open ones are left open.
void say_unsaid(Graph& graph);

}  // namespace coppice
