// How long a graph runs in a runtime, told from its widths without running it.
//
// An estimate for judging one form of a graph by another: of one thread, with rates of one CPU, and
// with all that a runtime does beside its layers as one rate of elements.
#pragma once

#include "graph/infer.h"
#include "prune/runtimes/runtimes.h"

namespace coppice {

struct TimeEstimate {
  double ms = 0;
  // Convolutions off the runtime's lane, or within groups off its block: they lose its fast
  // kernels.
  int64_t slow_layers = 0;
};

// `inferred`: at the sizes that it runs at. Layers of unknown shapes count nothing.
TimeEstimate estimated_time(const Graph& graph, const Inferred& inferred, const Runtime& runtime);

}  // namespace coppice
