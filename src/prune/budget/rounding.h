// Widths that hardware likes.
#pragma once

#include <cstdint>

#include "groups/groups.h"

namespace coppice {

inline constexpr int64_t kRoundAuto = 0;

// The step in units at which a width of the group near `kept` units is a multiple of `round_to`
// channels; kRoundAuto: of 8, and of 16 from 128 up.
int64_t rounding_step(const Group& group, int64_t round_to, int64_t kept);

}  // namespace coppice
