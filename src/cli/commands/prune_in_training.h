// The methods that train, as `coppice prune` runs them.
#pragma once

#include "cli/commands/prune_options.h"

namespace coppice {

// Whether the options ask for a method that decides while it trains.
bool prunes_in_training(const PruneOptions& options);
// Throws Error::usage for what needs neither model nor data to be seen.
void require_valid(const PruneOptions& options, uint64_t seed);

// What the training starts from.
Start start_of(const PruneOptions& options);

// Requires: prunes_in_training(options).
Outcome prune_in_training(const PruneOptions& options, TrainingRun& training,
                          const Invocation& run);

}  // namespace coppice
