// See cost_model.h; how a model is made is build_cost_model.cpp.
#include "groups/cost_model.h"

#include <algorithm>
#include <map>

#include "core/error.h"

namespace coppice {
namespace {

bool stays(const AxisUnits& axis, size_t index, const Removal& removal) {
  for (int32_t k = axis.offsets[index]; k < axis.offsets[index + 1]; ++k) {
    if (removal[axis.units[k]]) return false;
  }
  return true;
}

// Which indices stay, as a number (FNV-1a).
uint64_t pattern_of(const AxisUnits& axis, const Removal& removal) {
  uint64_t pattern = 0xcbf29ce484222325u;
  for (size_t i = 0; i + 1 < axis.offsets.size(); ++i) {
    pattern = (pattern ^ static_cast<uint64_t>(stays(axis, i, removal))) * 0x100000001b3u;
  }
  return pattern;
}

bool same_pattern(const AxisUnits& a, const AxisUnits& b, const Removal& removal) {
  if (a.offsets.size() != b.offsets.size()) return false;
  for (size_t i = 0; i + 1 < a.offsets.size(); ++i) {
    if (stays(a, i, removal) != stays(b, i, removal)) return false;
  }
  return true;
}

bool all_stay(const AxisUnits& axis, const Removal& removal) {
  return std::ranges::none_of(axis.units, [&](int32_t unit) { return removal[unit] != 0; });
}

}  // namespace

std::vector<int64_t> CostModel::units_that_stay(const Removal& removal) const {
  std::vector<int64_t> units;
  units.reserve(ranges_.size());
  for (const auto& [first, end] : ranges_) {
    units.push_back(std::count(removal.begin() + first, removal.begin() + end, 0));
  }
  return units;
}

int64_t CostModel::length(const Axis& axis, std::span<const int64_t> units,
                          const Removal& removal) const {
  int64_t length = axis.fixed;
  for (const Part& part : axis.parts) length += part.indices * units[part.group];
  if (axis.linear) return length * axis.size / axis.traced;
  length = 0;
  for (size_t i = 0; i + 1 < axis.units.offsets.size(); ++i)
    length += stays(axis.units, i, removal);
  return length * axis.size / axis.traced;
}

int64_t CostModel::Asked::macs(std::span<const int64_t> lengths) const {
  std::vector<Shape> now = shapes;
  for (size_t i = 0; i < now.size(); ++i) {
    for (size_t axis = 0; axis < axes[i].size(); ++axis) {
      if (axes[i][axis] >= 0) now[i][axis] = lengths[axes[i][axis]];
    }
  }
  return node_macs(node, now);
}

// Of all that follows from lengths alone.
Costs CostModel::sum(std::span<const int64_t> lengths) const {
  const auto product = [&](const Term& term) {
    int64_t result = term.coefficient;
    for (const int32_t axis : term.axes) result *= lengths[axis];
    return result;
  };
  Costs costs;
  for (const Term& term : macs_) costs.macs += product(term);
  for (const Term& term : parameters_) costs.parameters += product(term);
  for (const Asked& asked : asked_) costs.macs += asked.macs(lengths);
  costs.unknown = unknown_;
  return costs;
}

int64_t CostModel::count_once(const Family& family, std::span<const int64_t> lengths,
                              std::span<const uint64_t> patterns, const Removal& removal) const {
  // An axis that keeps all its indices is like one without units.
  const auto same = [&](int32_t a, int32_t b) {
    if (a == b) return true;
    if (a < 0) return all_stay(axes_[b].units, removal);
    if (b < 0) return all_stay(axes_[a].units, removal);
    return same_pattern(axes_[a].units, axes_[b].units, removal);
  };
  std::map<std::vector<uint64_t>, std::vector<size_t>> seen;  // by patterns: members that differ
  int64_t parameters = 0;
  for (size_t m = 0; m < family.members.size(); ++m) {
    std::vector<uint64_t> key;
    for (const int32_t axis : family.axes[m]) {
      key.push_back(axis < 0 || all_stay(axes_[axis].units, removal) ? 0 : patterns[axis]);
    }
    std::vector<size_t>& alike = seen[key];
    const bool met = std::ranges::any_of(alike, [&](size_t other) {
      return std::ranges::equal(family.axes[m], family.axes[other], same);
    });
    if (met) continue;
    alike.push_back(m);
    int64_t size = family.members[m].coefficient;
    for (const int32_t axis : family.members[m].axes) size *= lengths[axis];
    parameters += size;
  }
  return parameters;
}

CostModel::Judged CostModel::judge(const Removal& removal) const {
  Judged judged{{}, units_that_stay(removal)};
  std::vector<int64_t> lengths;
  lengths.reserve(axes_.size());
  for (const Axis& axis : axes_) lengths.push_back(length(axis, judged.units, removal));
  judged.costs = sum(lengths);
  if (families_.empty()) return judged;
  std::vector<uint64_t> patterns(axes_.size());
  for (size_t i = 0; i < axes_.size(); ++i) patterns[i] = pattern_of(axes_[i].units, removal);
  for (const Family& family : families_) {
    judged.costs.parameters += count_once(family, lengths, patterns, removal);
  }
  return judged;
}

std::optional<Costs> CostModel::after_widths(std::span<const int64_t> units) const {
  COPPICE_CHECK(units.size() == ranges_.size(), "widths of other groups");
  if (!linear_) return std::nullopt;
  std::vector<int64_t> lengths;
  lengths.reserve(axes_.size());
  for (const Axis& axis : axes_) lengths.push_back(length(axis, units, {}));
  return sum(lengths);
}

}  // namespace coppice
