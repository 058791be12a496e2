// The random twin of a pruning: as many channels of every group leave, or as many weights of every
// layer are zero, but which ones is drawn.
#pragma once

#include "prune/plan/plan.h"

namespace coppice {

// The twin of `plan`, which is of `original`. Throws Error::input where it doesn't fit, or both
// cuts and masks.
Plan random_twin(const Graph& original, const Plan& plan, uint64_t seed);

}  // namespace coppice
