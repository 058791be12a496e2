// Gradual magnitude pruning: the share of zeros grows while the net trains.
#pragma once

#include "methods/outcome.h"
#include "session/session.h"

namespace coppice {

struct GradualOptions {
  MagnitudeOptions pruning;      // its sparsity is the last
  double initial = 0;            // the first sparsity
  double from = 0, until = 0.5;  // shares of the training: the first and the last change
  int64_t every = 100;           // updates between two of them
};

// Trains the session's original by `recipe`, masking the smallest weights meanwhile as a
// CubicSchedule says (mask_schedule.h); what is masked stays so. Every epoch puts "density" on
// record. Throws as magnitude_masks and require_denser_than_asked do, before it trains.
Outcome prune_gradually(Session& session, const GradualOptions& options, const Recipe& recipe);

}  // namespace coppice
