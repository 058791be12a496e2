// One pass over the graph in which every operator states what it knows of its channels.
//
// The result holds the labels of every axis of every value: what a group, a cut or an explanation
// needs to know about the graph is read off it.
#pragma once

#include <vector>

#include "graph/infer.h"
#include "groups/tracing/labels.h"

namespace coppice {

struct ValueTrace {
  std::vector<Axis> axes;  // empty where the shape isn't known, or where nothing is labelled
  std::vector<char> zero_when_dead;  // by axis
  std::vector<Role> roles;           // by axis, for constants
};

enum class Statistics { pinned, free };  // axes that a mean or a norm runs over

struct TraceOptions {
  Statistics statistics = Statistics::pinned;
};

struct Trace {
  Labels labels;
  Inferred inferred;
  std::vector<ValueTrace> values;  // by ValueId
};

// `inferred` must come from the same graph. Every open size should be greater than one (InputSizes
// batch 2 or more): with batch 1 a Reshape could hide that an axis is a multiple of it.
Trace trace(const Graph& graph, Inferred inferred, const TraceOptions& options = {});

}  // namespace coppice
