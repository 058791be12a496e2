// One-shot pruning's first half, for methods that train before they cut.
#pragma once

#include "methods/methods.h"

namespace coppice {

struct Chosen {
  Groups groups;
  Allocation allocation;
};

// Scores and allocates. `graph`: loosened, and finite but for bounds. Throws as prune_once does.
Chosen choose(const Graph& graph, const Method& method, const OneShotOptions& options);

}  // namespace coppice
