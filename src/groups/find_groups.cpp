// From labels to units, slices and groups.

#include <algorithm>
#include <map>
#include <numeric>

#include "groups/explain.h"
#include "groups/groups.h"

namespace coppice {
namespace {

// Where one tag sits: for each (tensor, axis) its indices, in the order the tensors come.
struct Places {
  struct Place {
    ValueId tensor;
    int64_t axis;
    std::vector<int64_t> indices;
  };
  Label tag;
  std::vector<Place> list;
  int32_t unit = -1;
};

class Finder {
 public:
  Finder(const Graph& graph, Trace& trace) : graph_(graph), trace_(trace) {}

  Groups find() {
    collect_places();
    form_groups();
    number_axes();
    return std::move(result_);
  }

 private:
  void collect_places() {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      if (!graph_.values[i].constant) continue;
      const auto id = static_cast<ValueId>(i);
      const auto& axes = trace_.values[i].axes;
      for (size_t axis = 0; axis < axes.size(); ++axis) {
        for (size_t index = 0; index < axes[axis].size(); ++index) {
          for (const Label tag : trace_.labels.tags(axes[axis][index])) {
            if (!trace_.labels.pin_of(tag)) {
              add_place(tag, id, static_cast<int64_t>(axis), static_cast<int64_t>(index));
            }
          }
        }
      }
    }
  }

  void add_place(Label tag, ValueId tensor, int64_t axis, int64_t index) {
    if (static_cast<size_t>(tag) >= number_.size()) number_.resize(tag + 1024, -1);
    if (number_[tag] < 0) {
      number_[tag] = static_cast<int32_t>(places_.size());
      places_.push_back({tag, {}});
    }
    auto& list = places_[number_[tag]].list;
    if (list.empty() || list.back().tensor != tensor || list.back().axis != axis) {
      list.push_back({tensor, axis, {}});
    }
    list.back().indices.push_back(index);
  }

  // Units of one family with the same signature: the same slices, as many indices in each.
  void form_groups() {
    using Signature = std::vector<int64_t>;  // family, then (tensor, axis, count) after each other
    std::map<Signature, size_t> known;
    std::vector<std::vector<Places*>> members;
    for (Places& places : places_) {
      Signature signature{trace_.labels.family(places.tag)};
      for (const Places::Place& place : places.list) {
        signature.insert(signature.end(),
                         {place.tensor, place.axis, static_cast<int64_t>(place.indices.size())});
      }
      const auto [entry, added] = known.try_emplace(std::move(signature), members.size());
      if (added) members.emplace_back();
      members[entry->second].push_back(&places);
    }
    for (const std::vector<Places*>& units : members) add_group(units);
  }

  void add_group(const std::vector<Places*>& units) {
    Group group;
    group.first_unit = result_.unit_count;
    const auto& pattern = units.front()->list;
    for (size_t i = 0; i < pattern.size(); ++i) {
      Slice slice{pattern[i].tensor,
                  pattern[i].axis,
                  trace_.values[pattern[i].tensor].roles[pattern[i].axis],
                  {}};
      slice.indices.reserve(units.size());
      group.slices.push_back(std::move(slice));
    }
    for (Places* unit : units) {
      unit->unit = result_.unit_count++;
      for (size_t i = 0; i < unit->list.size(); ++i) {
        group.slices[i].indices.push_back(std::move(unit->list[i].indices));
      }
    }
    std::stable_partition(group.slices.begin(), group.slices.end(),
                          [](const Slice& slice) { return slice.role == Role::filter; });
    group.name = graph_.value(group.slices.front().tensor).name;
    result_.free.push_back(std::move(group));
  }

  int32_t unit_of(Label tag) const {
    const bool placed = static_cast<size_t>(tag) < number_.size() && number_[tag] >= 0;
    return placed ? places_[number_[tag]].unit : -1;
  }

  void number_axes() {
    std::map<std::vector<int32_t>, int32_t> pool;  // offsets, then units
    result_.axes.resize(graph_.values.size());
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      for (const Axis& axis : trace_.values[i].axes) {
        AxisUnits units = units_on(axis);
        if (units.units.empty()) {
          result_.axes[i].push_back(-1);
          continue;
        }
        std::vector<int32_t> key = units.offsets;
        key.insert(key.end(), units.units.begin(), units.units.end());
        const auto [entry, added] =
            pool.try_emplace(std::move(key), static_cast<int32_t>(result_.axis_pool.size()));
        if (added) result_.axis_pool.push_back(std::move(units));
        result_.axes[i].push_back(entry->second);
      }
    }
  }

  AxisUnits units_on(const Axis& axis) {
    AxisUnits units{{0}, {}};
    for (const Label label : axis) {
      for (const Label tag : trace_.labels.tags(label)) {
        if (const int32_t unit = unit_of(tag); unit >= 0) units.units.push_back(unit);
      }
      units.offsets.push_back(static_cast<int32_t>(units.units.size()));
    }
    return units;
  }

  const Graph& graph_;
  Trace& trace_;
  Groups result_;
  std::vector<Places> places_;   // in the order they were met, so nothing depends on hashing
  std::vector<int32_t> number_;  // by tag: its entry in places_
};

}  // namespace

Groups find_groups(const Graph& graph, const GroupOptions& options) {
  Trace traced = trace(graph, infer(graph, options.sizes), options.trace);
  Groups groups = Finder(graph, traced).find();
  if (options.explain == Explain::pins) groups.pinned = explain_pins(graph, traced);
  groups.inferred = std::move(traced.inferred);
  return groups;
}

namespace {

bool stays(const AxisUnits& axis, size_t index, const Removal& removal) {
  for (int32_t k = axis.offsets[index]; k < axis.offsets[index + 1]; ++k) {
    if (removal[axis.units[k]]) return false;
  }
  return true;
}

}  // namespace

std::vector<char> alive(const Groups& groups, ValueId value, int64_t axis, const Removal& removal) {
  const int32_t pooled = groups.axes[value].empty() ? -1 : groups.axes[value][axis];
  if (pooled < 0) return {};
  const AxisUnits& units = groups.axis_pool[pooled];
  std::vector<char> result(units.offsets.size() - 1);
  for (size_t i = 0; i < result.size(); ++i) result[i] = stays(units, i, removal);
  return result;
}

std::vector<int64_t> alive_counts(const Groups& groups, const Removal& removal) {
  std::vector<int64_t> counts;
  counts.reserve(groups.axis_pool.size());
  for (const AxisUnits& axis : groups.axis_pool) {
    int64_t count = 0;
    for (size_t i = 0; i + 1 < axis.offsets.size(); ++i) count += stays(axis, i, removal);
    counts.push_back(count);
  }
  return counts;
}

Shape shape_after(const Groups& groups, ValueId value, Shape shape,
                  const std::vector<int64_t>& counts) {
  const std::vector<int32_t>& axes = groups.axes[value];
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    if (axes[axis] >= 0) shape[axis] = counts[axes[axis]];
  }
  return shape;
}

size_t group_of(const Groups& groups, int32_t unit) {
  const auto after = std::upper_bound(
      groups.free.begin(), groups.free.end(), unit,
      [](int32_t number, const Group& group) { return number < group.first_unit; });
  return static_cast<size_t>(after - groups.free.begin()) - 1;
}

}  // namespace coppice
