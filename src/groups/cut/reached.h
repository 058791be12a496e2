// How far a group's units reach: what a cut of them changes, and what stays as it was before it.
// Who judges many cuts of one group computes the rest once, and each cut from there on.
#pragma once

#include <span>
#include <vector>

#include "groups/groups.h"

namespace coppice {

struct Reached {
  std::vector<char> values;     // by ValueId: 1 where the value may change
  std::vector<ValueId> inputs;  // values that don't, and are read by nodes that are reached
};

// `inferred`: the shapes of the graph at the sizes at which it is run. Where the type of one of
// `inputs` isn't known, the whole graph counts as reached, from its own inputs on.
Reached reached_by(const Graph& graph, const Groups& groups, size_t group,
                   const Inferred& inferred);

// The whole graph, from its own inputs on.
Reached all_reached(const Graph& graph);

// The reached part of `cut`, a copy of the graph after some of the group's units left: a graph of
// `reached.inputs`, but for those that `inferred` knows, which are constants in it. Outputs that
// aren't reached are none of its outputs.
Graph reached_part(Graph cut, const Reached& reached, const Inferred& inferred);

}  // namespace coppice
