// Where what can be made again is kept between runs.
#pragma once

#include <string>

namespace coppice {

// The user's cache folder for Coppice, XDG_CACHE_HOME/coppice or ~/.cache/coppice; it needn't be
// there. Empty where neither variable is set.
std::string cache_folder();

}  // namespace coppice
