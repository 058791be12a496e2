// Why an axis may not shrink, and what shrinks with it: reasons, and the paths over the graph that
// lead to them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "groups/groups.h"
#include "groups/tracing/trace.h"

namespace coppice {

// One entry for each axis of a float constant with pinned indices, but for kernel windows.
std::vector<Pinned> explain_pins(const Graph& graph, Trace& trace);

// Another tensor that loses indices together with an axis.
struct Tie {
  ValueId tensor = kNoValue;
  int64_t axis = 0;
  int64_t indices = 0;            // how many of its indices take part
  std::vector<std::string> path;  // labels of the nodes from the one to a reader of the other
};

// What is to be said of one axis of what a node reads or gives.
struct Coupling {
  ValueId value = kNoValue;
  int64_t axis = 0;
  int64_t indices = 0, free = 0;  // all of them, and those that can leave
  std::vector<Tie> ties;          // nearest first
  std::optional<Pinned> pinned;   // what keeps (some of) the others
};

// One entry for each labelled axis of the node's constants and of its outputs; what other axes of
// its inputs are is said by the nodes that give them. Axes that kernels slide over are left out.
std::vector<Coupling> explain_node(const Graph& graph, int32_t node,
                                   const GroupOptions& options = {});

}  // namespace coppice
