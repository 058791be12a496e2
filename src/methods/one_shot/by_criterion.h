// Every criterion as a method.
#pragma once

#include "methods/method.h"
#include "prune/scores/criterion.h"

namespace coppice {

// Cuts what the criterion (of the table in prune/scores) scores least: at once, or with --soft
// after training with it zeroed.
Method method_by(const Criterion& criterion);

}  // namespace coppice
