// From labels to units, slices and groups.

#include <algorithm>
#include <map>
#include <numeric>

#include "graph/fitted.h"
#include "groups/groups.h"
#include "groups/tracing/explain.h"

namespace coppice {
namespace {

// One index of one axis of a constant, which carries a free tag.
struct Place {
  ValueId tensor;
  int32_t axis;
  int32_t index;
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
  // All places, sorted by tag (in the order tags are met, so nothing depends on hashing), and for
  // each tag by tensor, axis and index.
  void collect_places() {
    std::vector<std::pair<int32_t, Place>> met;
    met.reserve(indices_of_constants());
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      if (!graph_.values[i].constant) continue;
      const auto& axes = trace_.values[i].axes;
      for (size_t axis = 0; axis < axes.size(); ++axis) {
        for (size_t index = 0; index < axes[axis].size(); ++index) {
          for (const Label tag : trace_.labels.tags(axes[axis][index])) {
            if (trace_.labels.pin_of(tag)) continue;
            met.push_back({number_of(tag),
                           {static_cast<ValueId>(i), static_cast<int32_t>(axis),
                            static_cast<int32_t>(index)}});
          }
        }
      }
    }
    begin_.assign(tags_.size() + 1, 0);
    for (const auto& [number, place] : met) ++begin_[number + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    places_.resize(met.size());
    std::vector<int64_t> next = begin_;
    for (const auto& [number, place] : met) places_[next[number]++] = place;
    units_.assign(tags_.size(), -1);
  }

  size_t indices_of_constants() const {
    size_t count = 0;
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      if (!graph_.values[i].constant) continue;
      for (const Axis& axis : trace_.values[i].axes) count += axis.size();
    }
    return count;
  }

  int32_t number_of(Label tag) {
    if (static_cast<size_t>(tag) >= number_.size()) number_.resize(2 * tag + 64, -1);
    if (number_[tag] < 0) {
      number_[tag] = static_cast<int32_t>(tags_.size());
      tags_.push_back(tag);
    }
    return number_[tag];
  }

  // Calls visit(first, last) for each run of a tag's places on one axis.
  template <typename Visit>
  void for_each_axis(int32_t number, Visit visit) const {
    const Place* place = places_.data() + begin_[number];
    const Place* const end = places_.data() + begin_[number + 1];
    while (place != end) {
      const Place* last = place;
      while (last != end && last->tensor == place->tensor && last->axis == place->axis) ++last;
      visit(place, last);
      place = last;
    }
  }

  // Units of one family with the same signature: the same slices, as many indices in each.
  void form_groups() {
    using Signature = std::vector<int64_t>;  // family, then (tensor, axis, count) after each other
    std::map<Signature, size_t> known;
    std::vector<std::vector<int32_t>> members;
    Signature signature, previous;  // mostly the same: units of a group follow each other
    size_t group = 0;
    for (int32_t number = 0; number < static_cast<int32_t>(tags_.size()); ++number) {
      signature.assign(1, trace_.labels.family(tags_[number]));
      for_each_axis(number, [&](const Place* first, const Place* last) {
        signature.insert(signature.end(), {first->tensor, first->axis, last - first});
      });
      if (signature != previous) {
        const auto [entry, added] = known.try_emplace(signature, members.size());
        if (added) members.emplace_back();
        group = entry->second;
        std::swap(signature, previous);
      }
      members[group].push_back(number);
    }
    for (const std::vector<int32_t>& units : members) add_group(units);
  }

  void add_group(const std::vector<int32_t>& numbers) {
    Group group;
    group.first_unit = result_.unit_count;
    for_each_axis(numbers.front(), [&](const Place* first, const Place*) {
      group.slices.push_back(
          {first->tensor, first->axis, trace_.values[first->tensor].roles[first->axis], {}});
      group.slices.back().indices.reserve(numbers.size());
    });
    for (const int32_t number : numbers) {
      units_[number] = result_.unit_count++;
      size_t slice = 0;
      for_each_axis(number, [&](const Place* first, const Place* last) {
        std::vector<int64_t>& indices = group.slices[slice++].indices.emplace_back();
        indices.reserve(static_cast<size_t>(last - first));
        for (; first != last; ++first) indices.push_back(first->index);
      });
    }
    std::stable_partition(group.slices.begin(), group.slices.end(),
                          [](const Slice& slice) { return slice.role == Role::filter; });
    group.name = graph_.value(group.slices.front().tensor).name;
    result_.free.push_back(std::move(group));
  }

  int32_t unit_of(Label tag) const {
    const bool placed = static_cast<size_t>(tag) < number_.size() && number_[tag] >= 0;
    return placed ? units_[number_[tag]] : -1;
  }

  // Most values carry one of a few axes, so axes are looked up by their labels first.
  void number_axes() {
    std::map<Axis, int32_t> known;
    result_.axes.resize(graph_.values.size());
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      for (const Axis& axis : trace_.values[i].axes) {
        const bool labelled = std::ranges::any_of(axis, [](Label l) { return l != kAlways; });
        result_.axes[i].push_back(labelled ? pooled(axis, known) : -1);
      }
    }
  }

  int32_t pooled(const Axis& axis, std::map<Axis, int32_t>& known) {
    Axis canonical(axis.size());
    std::ranges::transform(axis, canonical.begin(),
                           [&](Label label) { return trace_.labels.canonical(label); });
    const auto [entry, added] = known.try_emplace(std::move(canonical), -1);
    if (!added) return entry->second;
    AxisUnits units = units_on(entry->first);
    if (units.units.empty()) return -1;
    entry->second = static_cast<int32_t>(result_.axis_pool.size());
    result_.axis_pool.push_back(std::move(units));
    return entry->second;
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
  std::vector<Label> tags_;      // free tags that sit on a constant
  std::vector<int32_t> number_;  // by tag: its index in tags_
  std::vector<int64_t> begin_;   // by index in tags_: its first place
  std::vector<Place> places_;
  std::vector<int32_t> units_;  // by index in tags_
};

}  // namespace

Groups find_groups(const Graph& graph, const GroupOptions& options) {
  Trace traced = trace(graph, infer_fitting(graph, options.sizes).inferred, options.trace);
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
