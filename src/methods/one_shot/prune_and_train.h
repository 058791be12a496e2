// Pruning and training put together: what is cut first and trained then, and what a cut made while
// training has come to.
#pragma once

#include <functional>
#include <string>

#include "methods/one_shot/one_shot.h"
#include "session/session.h"

namespace coppice {

// Prunes the session's original by `prune` and trains what is left, which is what every paper's
// table reports; masks stay exact.
Outcome prune_and_train(Session& session, const std::function<Outcome(const Graph&)>& prune,
                        const Recipe& recipe);

// What a method that cut a session's model while it trained has come to: its plan, proved as a
// whole on the original, and the graph as it is now, which must be what was proved but for what
// training moves (same_structure.h). Throws as apply_plan does.
Outcome outcome_of(const Session& session, const std::string& method,
                   const OneShotOptions& options);

}  // namespace coppice
