// What a cut keeps, in the measure of a budget.
#pragma once

#include "groups/cost_model.h"
#include "prune/budget/allocate.h"

namespace coppice {

// Of a budget of MACs or parameters: the share that `after` keeps of the whole net's. Where the
// shapes of all that can leave depend on data, parameters stand for MACs.
double share_kept(const CostModel& costs, Budget::Of of, const Costs& after);

}  // namespace coppice
