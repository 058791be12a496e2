// A graph's weights drawn anew, as if it had never been trained: the control of every pruning paper
// that asks whether it is the weights or the structure.
#pragma once

#include <cstdint>

#include "graph/initialise.h"
#include "prune/masks/masks.h"

namespace coppice {

struct Reinitialisation {
  // Absent: the graph's own where it carries one (graph/initialise.h), else the default.
  std::optional<Initialisation> by = {};
  uint64_t seed = 0;
  // Weights that a mask is for are drawn as those of a layer with as many fewer fans. Source: Liu,
  // Sun, Zhou, Huang, Darrell, "Rethinking the Value of Network Pruning", ICLR 2019,
  // arXiv:1810.05270, whose code draws unstructured scratch nets so. Differs: there for
  // convolutions alone, whose fan-out it scales; here whichever fan the rule goes by.
  Masks masks = {};
};

// Separates the graph's vectors and sets all that training moves: weights of Conv, ConvTranspose,
// Gemm and MatMul are drawn, biases and shifts become 0, scales 1 (BatchNormalization's what the
// initialisation says), PRelu's slopes 0.25 (He et al., arXiv:1502.01852, Sec. 2.1), running means
// 0, variances 1. Masked weights are drawn, too: masking them is the caller's. Throws Error::input
// naming the node for a weight that none of this is for.
void reinitialise(Graph& graph, const Reinitialisation& how);

}  // namespace coppice
