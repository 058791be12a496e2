// Looking into a run: values of the graph that a caller wants to see as they are computed, wherever
// they stand. What is observed is never fused away or folded; everything else runs as it would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "graph/graph.h"

namespace coppice {

// A float32 value right after its kernel: what fits the cache is still there.
struct ObservedValue {
  const float* data;
  const Shape& shape;
  // Channels (axis 1) that lie together. 1: row-major; else the memory is [N, ceil(C / block), ...,
  // block], and channels that fill up the last block are zero.
  int64_t block = 1;
};

struct Observation {
  std::vector<ValueId> values = {};  // of the graph that is compiled; inputs and constants, too
  // Called once a run for each of `values`, by its place there, on the thread that called `run` and
  // within its number of OpenMP threads. What it throws ends the run.
  std::function<void(size_t which, const ObservedValue& value)> see = {};
};

}  // namespace coppice
