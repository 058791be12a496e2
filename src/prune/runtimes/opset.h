// Which opset a graph needs, and writing it in an older one than it came in.
//
// Runtimes lag behind: ONNX Runtime 1.21 to 1.24 joins no convolution with what is behind it from
// opset 22 on, though nothing in the file is new but the number. Opset 13 is understood everywhere,
// so nothing is written lower than that.
#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"
#include "prune/runtimes/runtimes.h"

namespace coppice {

inline constexpr int64_t kSafeOpset = 13;

struct NeededOpset {
  int64_t opset = kSafeOpset;
  std::string node;  // that needs it, as messages name it; empty where none needs more
};

// The lowest opset, from 13 up, in which every node can be said and means the same; the graph's own
// where it isn't known of one of them. A graph below 13 needs what it has.
NeededOpset needed_opset(const Graph& graph);

// What is to be known of the graph's opset in that runtime: that versions of it run convolutions
// slowly, and what could be written instead; empty where there is nothing.
std::string opset_remark(const Graph& graph, const Runtime& runtime);

// Says the graph in opset `opset`. Throws Error::target naming what needs more, Error::usage for an
// opset above the graph's.
void lower_opset(Graph& graph, int64_t opset);

}  // namespace coppice
