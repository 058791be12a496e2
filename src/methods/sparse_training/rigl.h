// RigL: sparse from the first update to the last, with masks that move.
#pragma once

#include <string>
#include <vector>

#include "methods/outcome.h"
#include "methods/sparse_training/densities.h"
#include "methods/sparse_training/mask_schedule.h"
#include "session/session.h"

namespace coppice {

struct RiglOptions {
  enum class Growth { gradient, random, none };

  double sparsity = 0.9;
  std::vector<std::string> keep = {};  // regular expressions: layers that stay dense
  Densities densities = Densities::erk;
  Growth growth = Growth::gradient;
  DropSchedule::Anneal anneal = DropSchedule::Anneal::cosine;
  double fraction = 0.3;  // that is dropped when masks first change
  int64_t every = 100;    // updates between two changes
  double until = 0.75;    // share of the training after which masks stay
  uint64_t seed = 0;      // of the first masks, and of what grows at random
};

// Masks drawn at random for the graph's weights, with exact counts (densities.h); uniform leaves a
// first layer dense that is a convolution. Throws as weights_to_mask and the counts do.
Masks random_masks(const Graph& graph, const RiglOptions& options);

// Masks the session's original so and trains it by `recipe`, changing the masks meanwhile: a layer
// has the same number of weights all the time. Every epoch puts "density" on record, and once masks
// have changed "drop_fraction", of the last time, and "grown_weights", all so far. Throws as
// random_masks does, and Error::usage for an original whose own zeros are to stay.
Outcome train_sparse(Session& session, const RiglOptions& options, const Recipe& recipe);

}  // namespace coppice
