// The options of an evolutionary search (search/evolution.h), for all methods that go by one.
#pragma once

#include <memory>

#include "methods/search/search_options.h"
#include "search/evolution.h"

namespace coppice {

struct MethodInput;

OptionList evolution_options();
// As settle_search. Throws Error::usage for more parents than a generation has.
void settle_evolution(Settings& settings, TrainsBefore before = TrainsBefore::nothing);
std::unique_ptr<Strategy> evolving(SearchSpace space, const MethodInput& input);

}  // namespace coppice
