// Which layers read a group's units, so that they can say which of them they need.
#pragma once

#include <string>
#include <vector>

#include "groups/groups.h"

namespace coppice {

// Of one group.
struct UnitReaders {
  std::vector<int32_t> nodes;  // Conv, Gemm and MatMul, in the graph's order
  std::string why_none;        // why its units can't be chosen by who reads them; empty: they can
};

// By group (Groups::free). Readers are layers that sum over all channels, with a weight of their
// own and a place for what they lose; who hands units on, channel by channel, doesn't count.
std::vector<UnitReaders> unit_readers(const Graph& graph, const Groups& groups);

}  // namespace coppice
