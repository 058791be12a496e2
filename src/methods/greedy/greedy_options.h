// What a user says of greedy pruning.
#pragma once

#include "methods/greedy/greedy.h"
#include "options/settings.h"

namespace coppice {

struct MethodInput;

extern const CountOption kUpdates, kUnitsPerStep, kRemoveUnits;
extern const NumberOption kLoopLr, kSmoothing;

// `criterion`: that decides.
OptionList greedy_options(const Criterion& criterion);
// Chooses a budget where there is none. Throws Error::usage for more than one, and for options that
// say nothing of a greedy pruning.
void settle_greedy(Settings& settings);

// Both halves of it by the settled settings (prune_greedily).
Outcome prune_greedily_by(const Criterion& criterion, Session& session, const Recipe& recipe,
                          const MethodInput& input);

}  // namespace coppice
