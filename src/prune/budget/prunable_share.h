// How much of a network's work is in layers that can lose channels.
#pragma once

#include "groups/cost_model.h"

namespace coppice {

// The share of the multiply-accumulates of nodes that read or give an axis with something to
// remove; 0 for a graph without any.
double prunable_macs_share(const CostModel& costs);

}  // namespace coppice
