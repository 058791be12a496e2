// Taking units out of a graph for good, and masking them, which must come to the same.
#pragma once

#include "groups/groups.h"

namespace coppice {

// Cuts every slice of the units that leave, then repairs what depended on the old sizes:
// attributes, shape constants (evaluated under the new sizes, never patched by value), declared
// shapes. What nobody reads any more is dropped. `groups` must have been found on this graph as it
// is now; its units are used up by the cut. Throws Error::target naming the node where a size is
// computed in a way that can't be repaired.
void remove_units(Graph& graph, const Groups& groups, const Removal& removal);

// The indices of the slice, which is one of the group's, that leave with its units.
std::vector<int64_t> leaving_indices(const Group& group, const Slice& slice,
                                     const Removal& removal);

// Sets every slice of the units to its neutral value: zero, one for divisors, the zero point of
// codes. The masked graph gives the same outputs as the cut one; that is the proof of a cut.
void mask_units(Graph& graph, const Groups& groups, const Removal& removal);

}  // namespace coppice
