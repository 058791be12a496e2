// Reading a plan for a model, which must be the one that it was made for.
#pragma once

#include <cstdint>
#include <string>

#include "prune/plan.h"

namespace coppice {

// `seed`: of a zoo model. Throws Error::input with the path for what is no plan, and when the
// plan's SHA-256 isn't the model's; a plan without one is taken as it is.
Plan read_plan(const std::string& path, const std::string& model, uint64_t seed);

}  // namespace coppice
