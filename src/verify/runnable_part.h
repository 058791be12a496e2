// The part of a graph that can be run, for a proof: nodes that can't (operators that Coppice
// doesn't know or has no kernel for, shapes that depend on data) are cut out. What they read is an
// output of the part, and what they give is an input of it: where a node reads the same in two
// graphs it gives the same, so both parts being equal proves the whole.
#pragma once

#include <string>
#include <vector>

#include "graph/infer.h"

namespace coppice {

struct RunnablePart {
  std::vector<ValueId> outputs, inputs;  // of the part, beside the graph's own
  std::vector<char> given;               // by ValueId: given by a node that isn't run
  std::vector<std::string> around;       // the nodes that aren't run, as messages name them
  bool whole() const { return around.empty(); }
};

// `inferred`: the graph's shapes at the sizes at which it will be run.
RunnablePart runnable_part(const Graph& graph, const Inferred& inferred);

// The part of that graph, or of a cut of it, with the shapes that its own inference gave. Throws
// Error::target where it gives nothing that can be compared.
Graph take_part(Graph graph, const RunnablePart& part, const Inferred& inferred);

// Without the rounding of activations to codes and back, which is the same in both graphs of a
// proof but makes a step of what is rounding of floats: a QuantizeLinear that only DequantizeLinear
// reads.
void leave_out_rounding(Graph& graph);

}  // namespace coppice
