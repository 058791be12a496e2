// Deep Compression's training: iterative magnitude pruning with retraining, weight sharing, and the
// tuning of what is shared. Its third stage, coding, is `codec`'s.
#pragma once

#include "methods/outcome.h"
#include "methods/unstructured/weight_sharing.h"

namespace coppice {

struct DeepCompressionOptions {
  // The shares that are zero after the last round, by layer or over all layers.
  MagnitudeOptions pruning;
  // In place of them the paper's quality parameter: what lies below it times the deviation of the
  // layer's remaining weights is pruned.
  std::optional<double> quality;
  int64_t rounds = 4;
  // Whether each round prunes and retrains matrices with the convolutions frozen, and then the
  // other way round, so that gradients need not pass what was just pruned (Sec. 2).
  enum class Retraining { together, alternating } retraining = Retraining::together;
  std::optional<SharingOptions> sharing = SharingOptions{};
};

// Prunes the session's original in rounds, `recipe` after each, and once more for tuning. The
// outcome's plan holds the masks. Throws as magnitude_masks and bits_of_layers do, and
// Error::target for a model that is sparser already.
Outcome deep_compression(Session& session, const DeepCompressionOptions& options,
                         const Recipe& recipe);

// The masks of round `round` (from 1), which only take away from what is zero in the graph.
Masks masks_of_round(const Graph& graph, const DeepCompressionOptions& options, int64_t round);
// How they are chosen.
MagnitudeOptions pruning_of_round(const Graph& graph, const DeepCompressionOptions& options,
                                  int64_t round);

}  // namespace coppice
