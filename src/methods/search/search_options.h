// What every search can be told.
#pragma once

#include <string>

#include "methods/options/blocks.h"
#include "search/space.h"

namespace coppice {

extern const CountOption kSearchImages, kRecalibrate, kWidthRatios;
extern const TextOption<std::string> kRankBy;

// Budget, widths, what to leave alone, proof, images and statistics.
OptionList searching_options();
// Whether a search trains a net of its own before, which most options of training are for, too.
enum class TrainsBefore { nothing, a_net };
// As settle_budget. Throws Error::usage for options of a training that there isn't.
void settle_search(Settings& settings, TrainsBefore before = TrainsBefore::nothing);

// All within the budget; groups without scores stay whole. Throws Error::target as
// require_reachable does.
SearchSpace space_of(const Traced& traced, const Scores& scores, const MethodInput& input);

// Where only widths are known, the last units of a group stand for those that leave.
Removal last_units_beyond(const Groups& groups, const Widths& widths);

// The same share of every group, as the settings say: what a search is compared with.
AllocationOptions even_allocation(const Traced& traced, const OneShotOptions& pruning);

}  // namespace coppice
