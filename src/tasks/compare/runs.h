// The runs of a comparison: every method and control, seed by seed.
#pragma once

#include <string>
#include <vector>

#include "options/settings.h"
#include "tasks/compare/compare.h"

namespace coppice {

// All that cut channels, where none is named.
std::vector<std::string> methods_to_compare(const std::vector<std::string>& named);
// Of the options given, those that the list has.
Settings settings_for(OptionList options, const CompareRequest& request);

// Requires: check(request). Throws as `compare` does.
CompareReport run_all(const CompareRequest& request, Watcher& watcher);

}  // namespace coppice
