// See widths.h.
#include "prune/budget/widths.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "prune/budget/allocate.h"

namespace coppice {
namespace {

// Whether no index of the axis stays; one leaves when any of its units does.
bool runs_empty(const AxisUnits& axis, const Removal& removal) {
  for (size_t i = 0; i + 1 < axis.offsets.size(); ++i) {
    const auto first = axis.units.begin() + axis.offsets[i];
    const auto last = axis.units.begin() + axis.offsets[i + 1];
    if (std::none_of(first, last, [&](int32_t unit) { return removal[unit]; })) return false;
  }
  return true;
}

void require_units_everywhere(const Groups& groups, const Removal& removal) {
  for (const AxisUnits& axis : groups.axis_pool) {
    if (axis.units.empty() || !runs_empty(axis, removal)) continue;
    const Group& group = groups.free[group_of(groups, axis.units.front())];
    fail_target("widths: of '" + group.name +
                "' nothing is left in a part that is read by itself; keep more of it");
  }
}

}  // namespace

Widths widths_after(const Groups& groups, const Removal& removal) {
  Widths widths;
  for (const Group& group : groups.free) {
    const auto first = removal.begin() + group.first_unit;
    widths.push_back(std::count(first, first + group.units(), 0));
  }
  return widths;
}

Widths widths_by_ratios(const Graph& graph, const Groups& groups,
                        std::span<const LayerRatio> ratios, double otherwise,
                        const std::vector<char>& kept_groups, const std::string& option) {
  std::vector<double> shares(groups.free.size(), otherwise);
  for (const auto& [pattern, share] : ratios) {
    const std::vector<char> matches = matching_groups(graph, groups, pattern, option);
    for (size_t g = 0; g < shares.size(); ++g) shares[g] = matches[g] ? share : shares[g];
  }
  Widths widths;
  constexpr double kEpsilon = 1e-9;  // 10 * 0.3 must be 3
  for (size_t g = 0; g < shares.size(); ++g) {
    const int64_t units = groups.free[g].units();
    const auto leaving =
        static_cast<int64_t>(std::floor(static_cast<double>(units) * shares[g] + kEpsilon));
    widths.push_back(kept_groups[g] ? units : std::max<int64_t>(1, units - leaving));
  }
  return widths;
}

Removal removal_for(const Groups& groups, const Scores& scores, const Widths& widths) {
  COPPICE_CHECK(widths.size() == groups.free.size(), std::to_string(widths.size()) + " widths of " +
                                                         std::to_string(groups.free.size()) +
                                                         " groups");
  Removal removal(groups.unit_count, 0);
  for (size_t g = 0; g < widths.size(); ++g) {
    const Group& group = groups.free[g];
    if (widths[g] < 1 || widths[g] > group.units()) {
      fail_input("width of '" + group.name + "': " + std::to_string(widths[g]) +
                 ", expected 1 to " + std::to_string(group.units()));
    }
    std::vector<int32_t> order(group.units());
    std::iota(order.begin(), order.end(), group.first_unit);
    std::ranges::stable_sort(order, {}, [&](int32_t unit) { return scores.units[unit]; });
    for (int64_t i = 0; i < group.units() - widths[g]; ++i) removal[order[i]] = 1;
  }
  require_units_everywhere(groups, removal);
  return removal;
}

}  // namespace coppice
