// A layer (compile/layers.h) seen as a sparse convolution.
#pragma once

#include <optional>

#include "graph/passes/fuse_batch_norm.h"
#include "runtime/compile/layers.h"
#include "runtime/sparse/conv.h"

namespace coppice::runtime {

// What follows a layer, as our loops take it.
struct Followers {
  ValueId start = kNoValue;            // what sums begin with
  std::vector<ValueId> biases = {};    // one number a channel, besides the node's own
  std::vector<Finish> finish = {};     // whose operands are:
  std::vector<ValueId> operands = {};  // one for each Finish::Kind::add, in order
};
// Nothing where one is a function that they lack.
std::optional<Followers> followers_of(const Graph& graph, const Inferred& inferred,
                                      const Layer& layer);

struct SparseLayer {
  SparseWindow window;
  ValueId x, y;
  Followers followers = {};
};

// Nothing for what isn't a two-dimensional Conv of constant weights, or is followed by a function
// that our loops lack.
std::optional<SparseLayer> sparse_layer_of(const Graph& graph, const Inferred& inferred,
                                           const Layer& layer);
const Tensor& weight_of(const Graph& graph, const Layer& layer);
// With a normalisation and all biases folded in.
AffineWeights folded_weights(const Graph& graph, const Layer& layer,
                             const std::vector<ValueId>& biases);

}  // namespace coppice::runtime
