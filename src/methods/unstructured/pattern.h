// Zeros in blocks of neighbouring filters (prune/blocks): which filters become neighbours, and what
// blocks cost in magnitude. Masks speak of the model as it came; channels change places only in
// what is written (methods/unstructured/reorder.h).
#pragma once

#include <optional>

#include "methods/outcome.h"

namespace coppice {

struct Pattern {
  MagnitudeOptions pruning;               // as it was asked for, with filters to be neighbours
  std::vector<ChannelOrder> orders = {};  // that make them so
  std::optional<ResultTable> kept = {};   // of the original's magnitude; none without blocks

  // Puts orders and table where a result has them.
  void say(Outcome& outcome) const;
};

// A function of the graph and the options alone. Filters stay as they lie where the model can't be
// run to prove that they may move, and where moving them keeps no more.
Pattern find_pattern(const Graph& graph, const MagnitudeOptions& options);

// `masks`, of that graph and so chosen, but that what stays of a block stays whole.
Masks in_whole_blocks(const Graph& graph, const MagnitudeOptions& options, const Masks& masks);

}  // namespace coppice
