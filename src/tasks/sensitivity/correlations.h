// How well each criterion foretells what is lost without a unit.
#pragma once

#include <vector>

#include "groups/traced.h"
#include "prune/scores/criterion.h"
#include "tasks/parts/watcher.h"
#include "tasks/sensitivity.h"

namespace coppice {

// One entry for each criterion; of one that can't score, why. Throws Error::interrupted where the
// watcher asks for it. Requires: the table is of ablations of the traced graph, and done.
std::vector<CriterionCorrelation> correlations_of(const Traced& traced,
                                                  const SensitivityTable& table,
                                                  const ScoreOptions& options, Watcher& watcher);

// Of one criterion's scores. The groups of `table` are found by name.
CriterionCorrelation correlation_of(const Groups& groups, const SensitivityTable& table,
                                    const Scores& scores);

}  // namespace coppice
