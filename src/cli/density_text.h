// How sparse a result is, for people.
#pragma once

#include <string>

#include "tasks/density.h"

namespace coppice {

// One line for a summary; empty where it isn't notable.
std::string density_line(const DensityChange& change);

}  // namespace coppice
