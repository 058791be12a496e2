// Gives every layer vectors of its own.
//
// Exporters merge equal vectors (all ones, all zeros in an untrained net) and hand them on through
// Identity; layers that share nothing but that would be pruned, or trained, as if they were one. So
// every float constant with one axis longer than 1 gets a copy for each use but the first. Left
// alone: single numbers (but for a layer's scale, shift, statistics or bias), what a layer
// contracts with (weights that several layers read were meant to be shared), settings, what
// subgraphs read, and outputs of the model. Layers that share their weights share their bias.
//
// A copy remembers what it was made from (Value::copy_of), so that a plan can name the original and
// the use, and so that copies that are still equal after a cut can be merged again.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace coppice {

void separate_vectors(Graph& graph);

// Copies that are equal become one constant again, the original where it is among them.
void merge_copies(Graph& graph);

}  // namespace coppice
