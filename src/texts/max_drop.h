// What a search for the strongest budget tried, for people.
#pragma once

#include <string>

#include "tasks/max_drop/max_drop.h"

namespace coppice {

// Without the pruning that it ended with (cut_summary.h).
std::string text_of(const MaxDropReport& report);

}  // namespace coppice
