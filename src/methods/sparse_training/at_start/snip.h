// SNIP: connections stay by how much the loss depends on their being there.
#pragma once

#include "methods/sparse_training/at_start/at_start.h"

namespace coppice {

// The masks of the largest |w dC/dw|, which is |dC/dc| for a connection that w is multiplied with
// c = 1 of, C the loss of the images of looking_at.
ScoredMasks snip_masks(Session& session, const AtStartOptions& options, const Recipe& recipe);

}  // namespace coppice
