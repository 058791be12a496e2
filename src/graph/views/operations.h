// What one pass takes where zeros cost nothing, by two counters: comparisons of training budgets
// rest on such numbers, and authors count differently.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "graph/infer.h"

namespace coppice {

struct Operations {
  int64_t macs = 0;  // of Conv, Gemm and MatMul, as cost.h counts them
  // Two a multiply-accumulate, one for adding a bias to an element, two an element of a
  // BatchNormalization, one of a Relu, and for every element that a pool gives as many as its
  // window has. Source: compute_flops.py of the code of Liu, Sun, Zhou, Huang, Darrell, "Rethinking
  // the Value of Network Pruning", ICLR 2019, arXiv:1810.05270. Differs: counts each
  // BatchNormalization and pool, where the script misses those of vectors, and pools that a model
  // calls as functions; counts no zeros of linear layers either.
  int64_t flops = 0;
};

// `masks`: by the name of a weight, in its shape, 0 for elements that are zero. At the inferred
// shapes.
Operations operations_of(const Graph& graph, const Inferred& inferred,
                         const std::map<std::string, Tensor>& masks = {});

}  // namespace coppice
