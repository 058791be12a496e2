// Which positions of an image are sampled. Private to `evidence`.
#pragma once

#include <cstdint>
#include <vector>

namespace coppice {

// `points` different ones of 0 .. count - 1, or all where there are fewer, ascending: a function
// of the seed and of the image's place.
std::vector<int64_t> sampled_positions(uint64_t seed, int64_t image, int64_t count, int64_t points);

}  // namespace coppice
