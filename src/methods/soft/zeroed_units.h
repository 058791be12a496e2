// Which units a soft pruning has zeroed, by the names of their filters' tensors: a session keeps it
// between two zeroings, and how many came back is counted by it.
#pragma once

#include <cstdint>

#include "groups/groups.h"
#include "session/session.h"

namespace coppice {

// For each axis of filters a vector: 1 where the index leaves.
NamedTensors zeroed_units(const Graph& graph, const Groups& groups, const Removal& removal);
// The removal that it was made of, on a graph whose values may have other numbers by now.
Removal removal_of(const Graph& graph, const Groups& groups, const NamedTensors& zeroed);

// Of every BatchNormalization that units leaving go through, by its scale: 1 for their channels
// (Session::hold_statistics).
NamedTensors normalised_channels(const Graph& graph, const Groups& groups, const Removal& removal);

// Filters, where coupled layers have one each.
int64_t count_filters(const NamedTensors& zeroed);
// Of those zeroed before: how many aren't zero any more, and how many are chosen again `now`.
struct Revival {
  int64_t revived = 0, chosen_again = 0;
};
Revival revival_of(const Graph& graph, const Groups& groups, const NamedTensors& before,
                   const NamedTensors& now);

}  // namespace coppice
