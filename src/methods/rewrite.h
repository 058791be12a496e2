// How a result is written: passes that change that, and not what it computes.
#pragma once

#include <cstdint>

#include "methods/outcome.h"
#include "options/settings.h"

namespace coppice {

// --simplify, --fold-bn, --opset, --selections
OptionList rewriting_options();
// Runs the passes that are asked for, counts costs anew, and compares once more where the cut was
// proved. Throws Error::internal where the outputs changed.
void rewrite(Outcome& outcome, const Settings& settings, uint64_t seed);

}  // namespace coppice
