// Soft pruning: filters are zeroed after every epoch, but go on being trained, so that the choice
// can still change; what is chosen in the end is cut.
#pragma once

#include "methods/one_shot/one_shot.h"

namespace coppice {

// Throws Error::usage for a criterion that ranks normalisations: a selection of a
// stream (graph/passes/select_channels.h) has no filter to zero, and a scale that isn't zeroed with
// its filter, constant as it then is, keeps its rank.
void require_filters(const Criterion& criterion);

// Trains the session's original by `recipe`, zeroing after each epoch but the last the filters that
// `criterion` would remove for the budget, cuts after the last, and trains by
// `tuning` if it has epochs. A criterion that needs evidence gets the session's, by the recipe's
// loss and batch, in place of `options.measure`. Throws as require_filters and prune_once do.
Outcome prune_softly(Session& session, const Criterion& criterion, const OneShotOptions& options,
                     const Recipe& recipe, const Recipe& tuning);

}  // namespace coppice
