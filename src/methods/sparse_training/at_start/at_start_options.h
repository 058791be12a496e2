// What a user may tell the methods that prune at the start.
#pragma once

#include "methods/method.h"
#include "methods/sparse_training/at_start/at_start.h"

namespace coppice {

// Sparsity, scope and what to leave alone; with_images: also how many are looked at.
OptionList at_start_options();
OptionList at_start_options_with_images();
AtStartOptions at_start_of(const MethodInput& input);

}  // namespace coppice
