// Cuts to given widths: papers' layouts, what a search tries, somebody's table.
#pragma once

#include <cstdint>
#include <vector>

#include "groups/groups.h"
#include "prune/criterion.h"

namespace coppice {

// By group (Groups::free): how many of its units stay.
using Widths = std::vector<int64_t>;

Widths widths_after(const Groups& groups, const Removal& removal);

// The units that leave so that every group keeps as many as said, those with the largest scores; of
// equal ones the first leave, as in an allocation (allocate.h). Throws Error::input naming the
// group where a width isn't 1 to all of its units, Error::target where that leaves nothing of a
// part that is read by itself (of a Split's output, say). Requires: a width for each group, and a
// score for each unit.
Removal removal_for(const Groups& groups, const Scores& scores, const Widths& widths);

}  // namespace coppice
