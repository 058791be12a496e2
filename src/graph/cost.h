// What a graph costs: parameters and multiply-accumulates.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/infer.h"

namespace coppice {

struct Costs {
  int64_t parameters = 0;  // elements of float constants, but for BN statistics and settings
  int64_t macs = 0;        // of Conv, Gemm and MatMul, at the inferred shapes
};

// Whether the constant counts as parameters, by ValueId: read as data by some node, and not only as
// the running mean or variance of a BatchNormalization.
std::vector<char> parameter_flags(const Graph& graph);

// Multiply-accumulates of one node for given shapes (by ValueId); 0 where they don't count.
int64_t node_macs(const Node& node, const std::vector<Shape>& shapes);

Costs costs_of(const Graph& graph, const Inferred& inferred);

}  // namespace coppice
