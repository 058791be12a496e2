// The weights of a graph by name, to come back to.
#pragma once

#include "training/trainer.h"

namespace coppice {

// All that training moves: trained parameters and running statistics (parameters.h).
NamedTensors weights_of(const Graph& graph);
// Sets the constants that are named. Requires: they are there, with those shapes.
void set_weights(Graph& graph, const NamedTensors& weights);

}  // namespace coppice
