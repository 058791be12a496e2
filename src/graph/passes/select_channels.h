// Channel selections: a BatchNormalization that reads a stream which others read, too (the residual
// of a pre-activation net, a concatenation of a DenseNet) can't lose channels with the layers that
// made them. An index in front of it lets it, and the layer behind it, lose channels of their own.
//
//   while tracing   BatchNormalization(Gather(x, [0 .. C-1], axis 1))     the Gather is a selection
//   after the cut   BatchNormalization(Gather(x, the channels that stay)), or no Gather if all do
//
// A convolution that reads such a stream by itself can have one, too: He, Zhang, Sun's sampler of
// feature maps (ICCV 2017, arXiv:1707.06168, Sec. 3.3), in front of the first layer of a branch.
//
// Source: Liu, Li, Shen, Huang, Yan, Zhang, "Learning Efficient Convolutional Networks through
// Network Slimming", ICCV 2017, arXiv:1708.06519, section 3, "Handling Cross Layer Connections and
// Pre-activation Structure".
// Differs: the index stands before the BatchNormalization, whose vectors are cut with it; the
// authors' code has it behind, and normalises channels that nobody reads.
//
// What makes a Gather a selection is its operator (ops/gather.cpp), not an attribute, so it is an
// ordinary Gather in any file.
#pragma once

#include "graph/graph.h"

namespace coppice {

// Puts a selection in front of every BatchNormalization whose channels don't come, unshared, from a
// layer that could lose them with it: a convolution or matrix product, another BatchNormalization,
// or a concatenation of such, with nothing but elementwise operators and pools between. One that
// normalises the graph's input gets none. `layers`: in front of such convolutions, too.
enum class SelectBefore { batch_norms, layers };
void add_selections(Graph& graph, SelectBefore before = SelectBefore::batch_norms);

bool is_selection(const Node& node);

// Ends the graph's selections: what selects everything goes; the others stay as ordinary Gathers,
// in one with the Gather of an earlier cut where they follow it.
void settle_selections(Graph& graph);

}  // namespace coppice
