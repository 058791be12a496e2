// One-shot pruning's first half, for methods that train before they cut.
#pragma once

#include "groups/traced.h"
#include "methods/methods.h"
#include "session/session.h"

namespace coppice {

// The graph as `choose` takes it: loosened, and with the selections that the method or the options
// ask for. They are to be settled after the cut (graph/passes/select_channels.h).
Graph prepared(Graph graph, const Method& method, const OneShotOptions& options);

// Scores and allocates. The graph: prepared, or at least loosened, and finite but for bounds.
// Throws as prune_once does.
Allocation choose(const Traced& traced, const Method& method, const OneShotOptions& options);

// The options as a session's cuts take them.
RemoveOptions removing(const OneShotOptions& options);

}  // namespace coppice
