// Pruning and training put together: what is cut first and trained then, and what a cut made while
// training has come to.
#pragma once

#include <functional>
#include <string>

#include "methods/one_shot/one_shot.h"
#include "session/session.h"

namespace coppice {

// Prunes the session's original by `prune` and trains what is left, which is what every paper's
// table reports; masks stay exact. `recover.distill`: the training is a step of recovering, and
// only kept where it brings the outputs nearer to the original's on the images that judge.
Outcome prune_and_train(Session& session, const std::function<Outcome(const Graph&)>& prune,
                        const Recipe& recipe, const RecoverOptions& recover = {});

// What criteria that need evidence get of a session: by the recipe's loss and batch, of about
// `options.images` of the images that train. Requires: the session outlives it.
Measure measuring_in(Session& session, const Recipe& recipe, const OneShotOptions& options);

// What a method that cut a session's model while it trained has come to: its plan, proved as a
// whole on the original, and the graph as it is now, which must be what was proved but for what
// training moves (same_structure.h). Throws as apply_plan does.
Outcome outcome_of(const Session& session, const std::string& method,
                   const OneShotOptions& options);

}  // namespace coppice
