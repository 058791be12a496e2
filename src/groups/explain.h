// Why an axis may not shrink: the reason, and the way from the tensor to the node that gives it.
#pragma once

#include <vector>

#include "groups/groups.h"
#include "groups/trace.h"

namespace coppice {

// One entry for each axis of a float constant with pinned indices, but for kernel windows.
std::vector<Pinned> explain_pins(const Graph& graph, Trace& trace);

}  // namespace coppice
