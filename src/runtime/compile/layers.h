// Nodes that run as one step. A layer is an anchor (a convolution, a product of matrices, a sum, a
// normalisation) with the nodes behind it that can be applied while its result is still in
// registers: a folded BatchNormalization, activations, and a residual sum.
//
// A layer runs where its last node stood, so the other operand of an absorbed Add is always there.
#pragma once

#include <dnnl.hpp>
#include <optional>
#include <string>
#include <vector>

#include "graph/infer.h"

namespace coppice::runtime {

struct Eltwise {
  dnnl::algorithm algorithm;
  float alpha = 0, beta = 0;
};
// oneDNN's functions that give the node's, to be applied in this order. Nothing for a node that is
// no activation or has no exact counterpart. (kernels/table.cpp)
std::optional<std::vector<Eltwise>> eltwise_of(const Graph& graph, const Node& node);

// What can take what follows it: a linear layer also a folded normalisation and a residual sum.
enum class Anchor { none, affine, normalisation, elementwise };
Anchor anchor_of(const Node& node);  // kernels/table.cpp

struct PostOp {
  std::optional<Eltwise> eltwise;  // else: add `operand`
  ValueId operand = kNoValue;      // of the output's shape, or a constant by channel
};

struct Layer {
  std::vector<int32_t> nodes;  // the anchor first; indices into graph.nodes, in order
  int32_t batch_norm = -1;     // one of `nodes`, folded into the weights
  std::vector<PostOp> post_ops;
  ValueId output = kNoValue;  // the last node's; for an anchor alone its first
};

// All nodes, each in one layer, in an order in which they can run.
std::vector<Layer> fuse_layers(const Graph& graph, const Inferred& inferred);
// One layer a node, for an anchor that can't take its followers with it.
std::vector<Layer> separate(const Graph& graph, const Layer& layer);

std::string kind_of(const Graph& graph, const Layer& layer);  // "Conv+BatchNormalization+Relu"

}  // namespace coppice::runtime
