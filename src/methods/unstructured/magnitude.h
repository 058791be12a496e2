// Unstructured pruning by magnitude: the smallest weights become zero, every shape stays.
#pragma once

#include "methods/outcome.h"

namespace coppice {

// Without data (prune/masks/masks.h). Throws Error::target where that leaves nothing to do or a
// layer without weights.
Outcome prune_by_magnitude(const Graph& graph, const MagnitudeOptions& options, Verify verify);

}  // namespace coppice
