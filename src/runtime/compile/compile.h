// From graph to plan. Private to `runtime`.
#pragma once

#include "graph/infer.h"
#include "runtime/compile/layers.h"
#include "runtime/compile/plan.h"
#include "runtime/observation.h"
#include "runtime/sparse/choices.h"

namespace coppice::runtime {

// Gives up outputs and nodes that nobody reads.
void leave_out_unread(Graph& graph, std::span<const ValueId> observed);
// Throws Error::input, naming the node, where the type of a value can't be known.
void require_types(const Graph& graph, const Inferred& inferred);
// Throws Error::input, naming the value, for one that isn't float32.
void require_observable(const Graph& graph, const Inferred& inferred,
                        std::span<const ValueId> values);
// Throws Error::input, naming node and weight, for a constant that is learnt and holds NaN: every
// output would be NaN, and which zeros may be left out would mean nothing.
void require_numbers(const Graph& graph);
// Folds and simplifies; afterwards all nodes compute something that depends on the inputs.
void simplify(Graph& graph, const Inferred& inferred, std::span<const ValueId> observed = {});
// Requires of these: simplified with these values observed.
std::vector<Layer> layers_of(Graph& graph, const Inferred& inferred,
                             std::span<const ValueId> observed);
// Uses the graph's constants up.
Plan lower(Graph& graph, const Inferred& inferred, const Observation& observation,
           SparseChoices choices);

}  // namespace coppice::runtime
