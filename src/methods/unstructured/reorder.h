// The channels of a result in the order that its plan says.
#pragma once

#include <cstdint>

#include "methods/outcome.h"

namespace coppice {

// Moves what the plan's orders say, and proves that the function stays, if that is asked for.
// Throws Error::input where orders and graph don't fit, or where the outputs change.
void reorder(Outcome& outcome, Verify verify, uint64_t seed);

}  // namespace coppice
