// One plan for two cuts, one after the other.
#pragma once

#include "prune/plan/plan.h"

namespace coppice {

// `then` was made for the model that `first` left; the result says the same of the first model.
// Tensors that `first` doesn't name are taken as they are; they come after its own. Requires:
// `then` has no masks, which would have the wrong shapes for the first model.
Plan compose(const Plan& first, const Plan& then);

}  // namespace coppice
