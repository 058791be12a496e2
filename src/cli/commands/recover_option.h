// --recover, which prune and apply share.
#pragma once

#include <string>

#include "cli/options.h"
#include "prune/recover.h"

namespace coppice {

void add_recover(CLI::App& app, std::string& recover);
// Of "bias,merge,scale", some of these in any order, or "all"; nothing for "" and "none". Throws
// Error::usage for anything else.
RecoverOptions recover_options(const std::string& text);

}  // namespace coppice
