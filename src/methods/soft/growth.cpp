// With P = 1 and x = exp(-k E / 8), the last two points say (1 - x) / (1 - x^8) = (3/4 - start) /
// (1 - start), whose left side falls from 1 at x = 0 to 1/8 at x = 1.
#include "methods/soft/growth.h"

#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

constexpr double kBend = 8;  // the middle point is at E / 8
constexpr double kMiddle = 0.75;
constexpr int kHalvings = 60;

}  // namespace

Growth::Growth(double start, int64_t epochs) : start_(start), decay_(0), epochs_(epochs) {
  COPPICE_CHECK(start >= 0 && start < kMostStart && epochs > 0, "no curve through these points");
  const double wanted = (kMiddle - start) / (1 - start);
  double low = 0, high = 1;
  for (int i = 0; i < kHalvings; ++i) {
    const double x = (low + high) / 2;
    ((1 - x) / (1 - std::pow(x, kBend)) > wanted ? low : high) = x;
  }
  decay_ = low;
}

double Growth::after(int64_t epoch) const {
  if (epoch >= epochs_) return 1;
  const double done = static_cast<double>(epoch) / static_cast<double>(epochs_);
  return start_ +
         (1 - start_) * (1 - std::pow(decay_, kBend * done)) / (1 - std::pow(decay_, kBend));
}

}  // namespace coppice
