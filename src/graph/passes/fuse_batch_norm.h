// BatchNormalization folded into the Conv or Gemm before it.
//
//   before   y = W x + b,   z = scale * (y - mean) / sqrt(variance + epsilon) + shift
//   after    z = W' x + b'  with  s = scale / sqrt(variance + epsilon),
//                                 W' = s * W (by output channel),  b' = s * (b - mean) + shift
//
// Requires, and so `find` checks: W, b and the four statistics are constant float32; y has no other
// reader and is no output of the graph; inference mode; one output used. For Gemm, beta is folded
// into b' and becomes 1; alpha stays.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace coppice {

struct BatchNormPair {
  int32_t producer, batch_norm;  // indices into graph.nodes
};
std::vector<BatchNormPair> find_foldable_batch_norms(const Graph& graph);

struct AffineWeights {
  Tensor weight;
  Tensor bias;  // [O], to be added with beta = 1
};
// Requires: the two are a pair that `find` gave. One pair at a time, so that a caller who packs
// weights never holds all of them twice.
AffineWeights fold_batch_norm(const Graph& graph, const Node& producer, const Node& batch_norm);

// Folds all pairs. Weights that have no other reader keep their names.
void fuse_batch_norms(Graph& graph);

}  // namespace coppice
