// Random small nets for the runtime: convolutions, pools, products and joins of any width from 1 to
// 67, on one to three spatial axes, between binary operators whose operands broadcast in every way.
// Made to meet what kernels trip over: channels that don't fill a block, operands that lie blocked,
// memory that is written over. (support/graphs/random_graph.h makes nets for pruning.)
//
// Values stay near one and nothing jumps, so that a difference between two runtimes is a mistake,
// not rounding.
#pragma once

#include <cstdint>
#include <functional>

#include "graph/graph.h"

namespace coppice {

// A number in [0, bound). From a seed, or from a fuzzer's bytes.
using Choose = std::function<uint64_t(uint64_t bound)>;

// One or two inputs of fixed shapes; everything that nothing reads is an output.
Graph random_layers(const Choose& choose);

}  // namespace coppice
