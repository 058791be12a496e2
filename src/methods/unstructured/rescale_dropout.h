// Dropout that follows a layer is weakened as its connections become fewer: D = D_o sqrt(C / C_o).
//
// Source: Han, Pool, Tran, Dally, "Learning both Weights and Connections for Efficient Neural
// Networks", NIPS 2015, arXiv:1506.02626, Sec. 3.2.
// Differs: none known.
#pragma once

#include "graph/graph.h"

namespace coppice {

// `original`: what the graph was before its weights were masked, under the same names.
void rescale_dropout(Graph& graph, const Graph& original);
// Gives every Dropout the ratio of the original's again.
void restore_dropout(Graph& graph, const Graph& original);

// How many Dropouts the graph has that drop something: exporters leave them out by default, and
// then there is nothing to rescale.
int64_t count_dropouts(const Graph& graph);

}  // namespace coppice
