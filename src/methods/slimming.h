// Network Slimming: training with a penalty on BatchNormalization's scales, which pushes channels
// that matter little towards zero, and a cut of the smallest scales of the whole network.
#pragma once

#include <set>
#include <string>

#include "methods/one_shot/one_shot.h"

namespace coppice {

struct SlimmingOptions {
  OneShotOptions pruning;  // the budget is what all passes together leave
  double lambda = 1e-4;    // Eq. 1; the paper takes 1e-3 to 1e-5
  int64_t passes = 1;      // trained for sparsity and cut so often (Sec. 3, multi-pass)
};

// Trains by `sparsity` with the penalty, cuts, and trains by `tuning` without it; every pass leaves
// the same share of what the one before left. Throws as prune_once does.
Outcome slimming(Session& session, const SlimmingOptions& options, const Recipe& sparsity,
                 const Recipe& tuning);

// The names of BatchNormalization's scales.
std::set<std::string> batch_norm_scales(const Graph& graph);
// Half of the scales' absolute values are at most so large; 0 where there are none.
double median_scale(const Graph& graph);

// How far the penalty alone can move a scale in a training by `recipe` at `batches` updates an
// epoch: lambda times the sum of the learning rates, over 1 - momentum. Where that is less than the
// scales are, none reaches zero, however little it matters. 0 for adam, whose steps don't depend on
// lambda's size.
double largest_pull(const Recipe& recipe, double lambda, int64_t batches);

}  // namespace coppice
