// What was proved is what is written: a model that was trained after its proof, or cut piece by
// piece where the proof is of the whole, against its proved twin.
#pragma once

#include "graph/graph.h"

namespace coppice {

// Whether recovering (prune/compensate/compensation.h) may have given layers biases that the twin
// has not.
enum class NewBiases { none, allowed };

// Requires that `trained` is `proved`, both made of `original`, but for the values of what training
// or recovering moves: the same nodes in the same order, their operators and attributes, the same
// wiring, inputs and outputs, the original's names in the same places, and constants of the same
// type and shape; those that aren't parameters or running statistics hold the same bits. Throws
// Error::internal naming the first difference.
void require_same_structure(Graph trained, Graph proved, const Graph& original,
                            NewBiases biases = NewBiases::none);

}  // namespace coppice
