// Greedy pruning: while a net trains on, the channels that matter least leave, one or a few at a
// time, until the budget is met; then what is left is trained.
#pragma once

#include "methods/one_shot/one_shot.h"

namespace coppice {

struct GreedyOptions {
  // Ranked over the whole network whatever its scope, without ratios by layer.
  OneShotOptions pruning = {};
  // How many leave, in place of the budget, whatever widths that gives; 0: by the budget.
  int64_t units = 0;
  int64_t updates = 10;        // before each removal
  int64_t units_per_step = 1;  // that leave at a time
  double smoothing = 0;        // share of the rounds before in a score; of criteria that add up
};

// Criteria with `members` are added up over the updates between two removals, from evidence of the
// updates' own batches; all others are asked at each removal. `loop`: by what it trains between
// removals, for as many epochs as that takes. `tuning`: afterwards, if it has epochs. Throws as
// prune_once does, before anything is trained where the budget can't be reached.
Outcome prune_greedily(Session& session, const Criterion& criterion, const GreedyOptions& options,
                       const Recipe& loop, const Recipe& tuning);

}  // namespace coppice
