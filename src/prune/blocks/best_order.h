// The order of units whose blocks of neighbours keep most (arrange_filters.h says what that is).
#pragma once

#include <cstdint>
#include <vector>

namespace coppice {

// The magnitudes of a group's units, side by side, and by column what a cell must have a weight.
struct Magnitudes {
  int64_t units = 0, columns = 0;
  std::vector<float> values = {};  // [units, columns]
  std::vector<float> least = {};   // [columns]

  const float* of(int64_t unit) const { return values.data() + unit * columns; }
};

// More cells than a group's pairs may have, units * units * columns, take more than a second or so.
inline constexpr double kMostPairedCells = 5e8;

// A permutation of the units: blocks of `together`, and behind them those that are left over.
std::vector<int64_t> best_order(const Magnitudes& all, int together);

}  // namespace coppice
