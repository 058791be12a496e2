// What the options of `coppice prune` mean to a method: from text and numbers, checked, to the
// options of methods/.
#pragma once

#include <string>

#include "cli/commands/prune_options.h"
#include "methods/deep_compression.h"
#include "methods/dsd.h"
#include "methods/slimming.h"

namespace coppice {

// For structured methods. Throws Error::usage for more than one, or one outside of (0, 1).
Budget budget_of(const PruneOptions& options);

// For structured methods. Throws Error::usage for a budget outside of (0, 1), a width to round to
// below 1 and an unknown scope.
OneShotOptions one_shot_options(const PruneOptions& options, uint64_t seed);

// For magnitude. Throws Error::usage for a sparsity that is missing or outside of (0, 1) and an
// unknown scope.
MagnitudeOptions magnitude_options(const PruneOptions& options);

// Throws Error::usage for what is out of range or no pattern.
DeepCompressionOptions deep_compression_options(const PruneOptions& options, const Graph& graph,
                                                uint64_t seed);

SlimmingOptions slimming_options(const PruneOptions& options, uint64_t seed);
DsdOptions dsd_options(const PruneOptions& options);

}  // namespace coppice
