// Filters zeroed while all else stays, which is what the papers of filter pruning do to choose, and
// how far that is from cutting them.
#pragma once

#include <optional>

#include "groups/groups.h"
#include "methods/outcome.h"
#include "prune/masks/masks.h"

namespace coppice {

// What a BatchNormalization or a bias makes of a zeroed filter: left, or zeroed with it, so that
// nothing comes of the channel where its activation makes 0 of 0.
enum class Constants { left, zeroed };

// Zero for the filters of units that leave.
Masks masks_of_filters(const Graph& graph, const Groups& groups, const Removal& removal,
                       Constants constants = Constants::left);

// `found`: of the graph with its filters zeroed and the cut one. Nothing where outputs aren't
// finite.
std::optional<ZeroedFilters> zeroed_filters_of(const Comparison& found);

}  // namespace coppice
