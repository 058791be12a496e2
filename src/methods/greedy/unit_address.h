// Names for units that hold whatever numbers values, groups and units have, and after cuts: for
// what is kept of them between updates (session/session.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "groups/groups.h"

namespace coppice {

// Of a group's units: the first by name of the tensors that their filters lie in, or that they
// have, and where in it each unit begins.
struct UnitAddress {
  std::string key;  // tensor and axis
  ValueId tensor = kNoValue;
  int64_t axis = 0;
  std::vector<int64_t> places;  // by unit
};

UnitAddress address_of(const Graph& graph, const Group& group);

}  // namespace coppice
