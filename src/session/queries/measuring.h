// Which images evidence is measured on: some of those that train, never those that judge.
#pragma once

#include <cstdint>
#include <vector>

namespace coppice {

struct ImagesToMeasure {
  std::vector<int64_t> measured;  // ascending; always the same ones
  std::vector<int64_t> rest;
};

// What the rest is for. `judging`: nothing else judges, so at most half of them is measured.
enum class Rest { judging, nothing };

// `wanted` of these images, or as many as there are. Requires: at least one wanted, and one
// there.
ImagesToMeasure images_to_measure(const std::vector<int64_t>& from, int64_t wanted, Rest rest);

}  // namespace coppice
