// See recipe.h.
#include "training/recipe.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace coppice {

const char* name_of(OptimizerOptions::Kind kind) {
  return kind == OptimizerOptions::Kind::adam ? "adam" : "sgd";
}
namespace {

double decay(const Schedule& schedule, double done) {
  switch (schedule.kind) {
    case Schedule::Kind::cosine: return (1 + std::cos(std::numbers::pi * done)) / 2;
    case Schedule::Kind::step: {
      const auto reached =
          std::ranges::count_if(schedule.milestones, [&](double share) { return done >= share; });
      return std::pow(schedule.factor, static_cast<double>(reached));
    }
    case Schedule::Kind::constant: return 1;
  }
  return 1;
}

}  // namespace

double NormMomentum::of(double file) const { return given ? *given : std::min(file, most); }

NormMomentum norm_momentum_of(const Recipe& recipe, int64_t updates_per_epoch) {
  constexpr double kUsual = 0.9, kLeft = 0.05;
  const auto updates = static_cast<double>(std::max<int64_t>(1, updates_per_epoch));
  return {.given = recipe.norm_momentum, .most = std::min(kUsual, std::pow(kLeft, 1 / updates))};
}

double schedule_factor(const Schedule& schedule, int64_t step, int64_t steps,
                       int64_t steps_per_epoch) {
  const auto warm_up =
      static_cast<int64_t>(std::llround(schedule.warm_up * static_cast<double>(steps_per_epoch)));
  if (step < warm_up) return static_cast<double>(step + 1) / static_cast<double>(warm_up);
  const auto after = static_cast<double>(std::max<int64_t>(1, steps - warm_up));
  return decay(schedule, static_cast<double>(step - warm_up) / after);
}

}  // namespace coppice
