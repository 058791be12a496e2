// What the methods of this folder have in common: options, and what a session with masks has come
// to.
#pragma once

#include <string>

#include "methods/outcome.h"
#include "options/settings.h"
#include "session/session.h"

namespace coppice {

// Of methods that change masks between updates.
extern const CountOption kMaskEvery;
extern const NumberOption kMaskUntil;

// The share of the maskable weights of the session's graph that no mask holds at zero.
double density_of(const Session& session);

// Updates of all epochs of a recipe.
int64_t updates_of(const Session& session, const Recipe& recipe);

// The session's masks as a plan on its original, and its graph as it is now, of which nothing but
// what training moves may differ. Checks that every masked weight is zero.
Outcome masked_outcome(const Session& session, const std::string& method);

}  // namespace coppice
