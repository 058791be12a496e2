// Which positions of a picture are sampled. Private to `evidence`.
#pragma once

#include <cstdint>
#include <vector>

namespace coppice {

// `points` different ones of 0 .. count - 1, or all where there are fewer, ascending: a function
// of the seed and of the picture's place.
std::vector<int64_t> sampled_positions(uint64_t seed, int64_t picture, int64_t count,
                                       int64_t points);

}  // namespace coppice
