// What a graph costs: parameters and multiply-accumulates.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/infer.h"

namespace coppice {

struct Costs {
  // Elements of float constants, and of integers that stand for floats, but for statistics of
  // normalisations, settings, and the steps that codes are counted in.
  int64_t parameters = 0;
  int64_t macs = 0;     // of Conv, Gemm and MatMul, at the inferred shapes
  int64_t unknown = 0;  // nodes that multiply, perhaps, and whose count isn't known: not in `macs`
};

// Whether the constant counts as parameters, by ValueId: read as data by some node, and not only as
// the running mean or variance of a BatchNormalization.
std::vector<char> parameter_flags(const Graph& graph);

// Whether what the node multiplies depends on sizes that only running the graph tells, or on an
// operator that Coppice doesn't know and that has weights.
bool has_unknown_cost(const Graph& graph, const Node& node, const Inferred& inferred);

// Multiply-accumulates of one node for given shapes (by ValueId); 0 where they don't count.
int64_t node_macs(const Node& node, const std::vector<Shape>& shapes);

Costs costs_of(const Graph& graph, const Inferred& inferred);

}  // namespace coppice
