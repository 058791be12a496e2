// The least and the greatest number that a value of a graph can hold, whatever the images. It
// tells a probability from a number that merely was between 0 and 1 on the images that were seen.
#pragma once

#include <limits>
#include <vector>

#include "graph/graph.h"

namespace coppice {

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

// By value, with the constants as they are. Never too narrow, often too wide: operands are taken
// as independent of each other, and what has no rule may be anything.
std::vector<Range> value_ranges(const Graph& graph);

}  // namespace coppice
