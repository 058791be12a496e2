// Weights that a file computes from constants: a kernel as direction and length (weight
// normalisation), divided by its largest singular value (spectral normalisation), standardised, or
// merged with what was learnt beside it. Channels of such a kernel are those of the kernel, not of
// what it is computed from: cut there, its length would be another one.
//
// So while channels are traced, scored and cut, the weight is a constant. How the file computes it
// is kept (Graph::folded), and where nothing of it changed it is computed so again.
#pragma once

#include "graph/graph.h"

namespace coppice {

// Folds what floats are computed to from constants alone, where that takes arithmetic: a weight
// that is only reshaped, cast or dequantised stays as it is stored.
void fold_weights(Graph& graph);
// Back where the weight is what it was; ends the graph's notes of all others.
void unfold_weights(Graph& graph);

}  // namespace coppice
