// SynFlow: weights stay by their share of what flows through the net, found without data in many
// rounds, so that no layer is emptied.
#pragma once

#include "methods/sparse_training/at_start/at_start.h"

namespace coppice {

// How R = sum of all outputs is asked of a graph whose parameters and statistics are their absolute
// values, and whose images are ones: another graph, and the collection that asks it.
struct FlowGraph {
  Graph graph;
  Collection how;
};
FlowGraph flow_graph(const Session& session);

// |w dR/dw| of the weights that `masks`, if any, leave.
std::vector<ScoredLayer> flow_scores(Session& session, const FlowGraph& flow,
                                     const MagnitudeOptions& options, const Masks& masks);

// After round k of n the density is (1 - sparsity)^(k / n).
ScoredMasks synflow_masks(Session& session, const AtStartOptions& options, int64_t rounds);

}  // namespace coppice
