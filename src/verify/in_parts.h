// Runs a graph once, part after part, with the weights of one part packed at a time: of a net of
// any size so much memory as one part and what flows into the next one take.
//
// Weights that the graph computes from constants, such as codes that are dequantised, are computed
// with the part that reads them.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/infer.h"

namespace coppice {

// A part ends before the layer that comes once its weights are so many floats.
inline constexpr int64_t kFloatsOfPart = 1 << 20;

// For each of `sets`, which are inputs in the graph's order, the outputs in its order. `inferred`:
// the graph's shapes at the inputs' sizes. Throws as compile and Executable::run do.
std::vector<std::vector<Tensor>> run_in_parts(const Graph& graph, const Inferred& inferred,
                                              const std::vector<std::vector<Tensor>>& sets,
                                              int64_t floats_of_part = kFloatsOfPart);

}  // namespace coppice
