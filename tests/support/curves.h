// Sensitivity as it may have been measured.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "groups/groups.h"
#include "prune/sensitivity/sensitivity_table.h"

namespace coppice {

// Of all groups, each with the loss `steepness` (share that left)^2.
inline std::shared_ptr<const SensitivityTable> curves_of(
    const Groups& groups, const std::function<double(size_t group)>& steepness) {
  SensitivityTable table;
  for (size_t g = 0; g < groups.free.size(); ++g) {
    const Group& group = groups.free[g];
    GroupSensitivity curve{.name = group.name, .units = group.units(), .done = true};
    for (int64_t i = 1; i < group.units(); ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(group.units());
      curve.points.push_back({share, i, 0, steepness(g) * share * share});
    }
    table.groups.push_back(std::move(curve));
  }
  return std::make_shared<const SensitivityTable>(std::move(table));
}

}  // namespace coppice
