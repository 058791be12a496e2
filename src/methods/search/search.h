// A search as all methods of it go: a strategy proposes widths, trials judge them, the best is cut
// out and trained.
#pragma once

#include <string>

#include "methods/method.h"
#include "methods/search/trials.h"
#include "search/strategy.h"

namespace coppice {

// Asks until the strategy has nothing left to ask, saving after every trial. Throws Error::target
// where none of what was asked for can be cut, Error::interrupted.
void run_search(Session& session, Trials& trials, Strategy& strategy, const MethodInput& input);

// Throws Error::input where the model can't be judged by labels; remarks on what recalibrating
// can't do for it.
void require_searchable(const Session& session, const MethodInput& input);

// How statistics are found anew, by the settings.
Recalibration recalibration_of(const MethodInput& input, int64_t batch);

// What all methods report: the trials, and which of them nothing beats in every respect.
void add_tables(const Session& session, const Traced& traced, const MethodInput& input,
                Outcome& outcome);

// The whole, on the weights of the original.
Outcome search_and_train(
    Session& session, const Recipe& recipe, const MethodInput& input, const std::string& method,
    const std::function<std::unique_ptr<Strategy>(SearchSpace space, const Traced& traced)>&
        strategy);

}  // namespace coppice
