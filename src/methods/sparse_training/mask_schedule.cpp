// See mask_schedule.h.
#include "methods/sparse_training/mask_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace coppice {

bool CubicSchedule::due(int64_t update) const {
  if (update == last) return true;
  return update >= first && update < last && (update - first) % every == 0;
}

double CubicSchedule::sparsity(int64_t update) const {
  if (update >= last) return final;
  if (update <= first) return initial;
  const double done = static_cast<double>(update - first) / static_cast<double>(last - first);
  return final + (initial - final) * std::pow(1 - done, 3);
}

double DropSchedule::share(int64_t update) const {
  if (anneal == Anneal::constant) return fraction;
  const double done = static_cast<double>(update) / static_cast<double>(last);
  return fraction / 2 * (1 + std::cos(std::numbers::pi * done));
}

int64_t update_at(double share, int64_t updates) {
  return std::max<int64_t>(1, std::llround(share * static_cast<double>(updates)));
}

}  // namespace coppice
