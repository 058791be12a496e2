// Cuts to given widths: papers' layouts, what a search tries, somebody's table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "groups/groups.h"
#include "prune/scores/criterion.h"

namespace coppice {

// By group (Groups::free): how many of its units stay.
using Widths = std::vector<int64_t>;

Widths widths_after(const Groups& groups, const Removal& removal);

// A regular expression for groups (matching_groups) and the share of their units that leaves.
using LayerRatio = std::pair<std::string, double>;
// What ratios by layer leave: of N units a group loses floor(N P), but not its last. The last ratio
// whose expression matches counts, `otherwise` where none does; groups to keep lose nothing.
// Source: the layer-wise ratios of Li et al., ICLR 2017, arXiv:1608.08710, Sec. 4. Differs: none
// known. Throws Error::usage naming `option` as matching_groups does.
Widths widths_by_ratios(const Graph& graph, const Groups& groups,
                        std::span<const LayerRatio> ratios, double otherwise,
                        const std::vector<char>& kept_groups, const std::string& option);

// The units that leave so that every group keeps as many as said, those with the largest scores; of
// equal ones the first leave, as in an allocation (allocate.h). Throws Error::input naming the
// group where a width isn't 1 to all of its units, Error::target where that leaves nothing of a
// part that is read by itself (of a Split's output, say). Requires: a width for each group, and a
// score for each unit.
Removal removal_for(const Groups& groups, const Scores& scores, const Widths& widths);

}  // namespace coppice
