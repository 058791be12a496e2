// coppice inspect --norms: whether ranking filters by their norms says anything about this model.
#pragma once

#include "cli/commands/commands.h"
#include "cli/model.h"

namespace coppice {

Result inspect_norms(const Model& model, const Invocation& run);

}  // namespace coppice
