// Pruning at the start: single weights are scored before any training, the lowest are masked, and
// what is left is trained.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "methods/outcome.h"
#include "prune/masks/masks_by_score.h"
#include "session/session.h"

namespace coppice {

struct AtStartOptions {
  MagnitudeOptions pruning = {.scope = MagnitudeOptions::Scope::global};
  int64_t images = 0;  // that are looked at; 0: ten for each class
  uint64_t seed = 0;   // of which they are
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

// How evidence is collected on the images: by their labels, if there are some, in as many batches
// of no more than the recipe's size as it takes, in training mode.
Collection looking_at(const Session& session, const AtStartOptions& options, const Recipe& recipe);

// Of the graph's weights that `options` leaves to be masked, in their order, each weight times what
// `reduction`, one of weights, says of it under `how`.
std::vector<ScoredLayer> weights_times(Reduction reduction, Session& session, const Graph& graph,
                                       const MagnitudeOptions& options, const Collection& how);

// Throws Error::target, naming the method, where every score is 0.
void require_signal(const std::vector<ScoredLayer>& layers, const std::string& method);

// Masks what `choose` says in a stage of its own and trains the rest of the session's original by
// `recipe`. Layers that ranks alone would have emptied are warned of, and their number goes on
// record as "spared_layers" beside "density".
Outcome prune_at_start(const std::string& method, Session& session, const AtStartOptions& options,
                       const std::function<ScoredMasks()>& choose, const Recipe& recipe);

}  // namespace coppice
