// Soft pruning: filters are zeroed after epochs, but go on being trained, so that the choice can
// still change; what is chosen in the end is cut.
#pragma once

#include <functional>
#include <string>

#include "methods/one_shot/one_shot.h"
#include "methods/one_shot/zeroed_filters.h"

namespace coppice {

struct SoftOptions {
  // Whether the last epoch ends in a zeroing, too, and what that zeroed is cut; or the cut chooses
  // among filters as they were trained, and makes up for them as such.
  enum class Last { zeroed, trained };

  std::string name;  // of the method, for the plan
  OneShotOptions pruning;
  int64_t interval = 1;  // zeroes after the first epoch and every `interval` epochs from there
  // The share of what the budget removes that is zeroed after so many epochs; null: all of it.
  // Widths are rounded once it is 1, at the latest after the last epoch.
  std::function<double(int64_t epoch)> growth = {};
  Constants constants = Constants::left;
  Last last = Last::trained;
};

// Throws Error::usage for a criterion that ranks normalisations: a selection of a
// stream (graph/passes/select_channels.h) has no filter to zero, and a scale that isn't zeroed with
// its filter, constant as it then is, keeps its rank.
void require_filters(const Criterion& criterion);

// Trains the session's original by `recipe`, zeroing before it and between its epochs the filters
// that `criterion` would remove for the budget, cuts after the last, and trains by `tuning` if it
// has epochs. A criterion that needs evidence gets the session's, by the recipe's loss and batch,
// in place of `pruning.measure`. Throws as require_filters and prune_once do; what can't be reached
// fails before training.
//
// Every zeroing puts on record, beside the accuracy before and after it, "zeroed_filters", and of
// those of the one before "revived_filters", which aren't zero any more, and "rechosen_share".
Outcome prune_softly(Session& session, const Criterion& criterion, const SoftOptions& options,
                     const Recipe& recipe, const Recipe& tuning);

}  // namespace coppice
