// Writes what channels that leave hold into those that stay, where a stream is linear: layers write
// to it without an activation behind them, sums join them, and layers read it. Such a stream may be
// written in any basis, z = T y, by W -> T W in all that write and V -> V T^-1 in all that read,
// and the net stays the same function. With T = [I B; 0 I], kept channels first, z of what stays
// is the subspace that matters most to what reads, whichever channels leave; a cut then loses
// the least that any choice of as many channels could.
//
// Source: none known in this form; the subspace is the one of reduced-rank regression (Izenman,
// J. Multivariate Analysis 5, 1975), all readers weighing alike.
#pragma once

#include <cstdint>

#include "evidence/requests.h"
#include "groups/groups.h"

namespace coppice {

// Gives the number of streams that were changed. `groups`: found on the graph as it is now. The
// graph computes what it did, but for rounding. The same input gives the same bits. Throws what
// `measure` throws.
int64_t change_basis(Graph& graph, const Groups& groups, const Removal& removal,
                     const Measure& measure);

}  // namespace coppice
