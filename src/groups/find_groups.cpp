// From labels to units, slices and groups.

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <unordered_map>

#include "groups/explain.h"
#include "groups/groups.h"

namespace coppice {
namespace {

// Where one tag sits: for each (tensor, axis) its indices, in the order the tensors come.
struct Places {
  std::vector<std::tuple<ValueId, int64_t>> where;
  std::vector<std::vector<int64_t>> indices;
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
    const auto [entry, added] = places_.try_emplace(tag);
    if (added) tags_.push_back(tag);
    Places& places = entry->second;
    const std::tuple key{tensor, axis};
    if (places.where.empty() || places.where.back() != key) {
      places.where.push_back(key);
      places.indices.emplace_back();
    }
    places.indices.back().push_back(index);
  }

  // Units of one family with the same signature: the same slices, as many indices in each.
  void form_groups() {
    using Signature = std::vector<std::tuple<ValueId, int64_t, size_t>>;
    std::map<std::pair<int32_t, Signature>, size_t> known;
    std::vector<std::vector<Label>> members;
    for (const Label tag : tags_) {
      const Places& places = places_.at(tag);
      Signature signature;
      for (size_t i = 0; i < places.where.size(); ++i) {
        const auto [tensor, axis] = places.where[i];
        signature.emplace_back(tensor, axis, places.indices[i].size());
      }
      const auto [entry, added] =
          known.try_emplace({trace_.labels.family(tag), std::move(signature)}, members.size());
      if (added) members.emplace_back();
      members[entry->second].push_back(tag);
    }
    for (const std::vector<Label>& tags : members) add_group(tags);
  }

  void add_group(const std::vector<Label>& tags) {
    Group group;
    group.first_unit = result_.unit_count;
    const Places& pattern = places_.at(tags.front());
    for (size_t i = 0; i < pattern.where.size(); ++i) {
      Slice slice;
      std::tie(slice.tensor, slice.axis) = pattern.where[i];
      slice.role = trace_.values[slice.tensor].roles[slice.axis];
      for (const Label tag : tags) slice.indices.push_back(std::move(places_.at(tag).indices[i]));
      group.slices.push_back(std::move(slice));
    }
    std::stable_partition(group.slices.begin(), group.slices.end(),
                          [](const Slice& slice) { return slice.role == Role::filter; });
    for (const Label tag : tags) units_[tag] = result_.unit_count++;
    group.name = graph_.value(group.slices.front().tensor).name;
    result_.free.push_back(std::move(group));
  }

  void number_axes() {
    std::map<std::pair<std::vector<int32_t>, std::vector<int32_t>>, int32_t> pool;
    result_.axes.resize(graph_.values.size());
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      for (const Axis& axis : trace_.values[i].axes) {
        AxisUnits units{{0}, {}};
        for (const Label label : axis) {
          for (const Label tag : trace_.labels.tags(label)) {
            const auto unit = units_.find(tag);
            if (unit != units_.end()) units.units.push_back(unit->second);
          }
          units.offsets.push_back(static_cast<int32_t>(units.units.size()));
        }
        if (units.units.empty()) {
          result_.axes[i].push_back(-1);
          continue;
        }
        const auto [entry, added] = pool.try_emplace(
            {units.offsets, units.units}, static_cast<int32_t>(result_.axis_pool.size()));
        if (added) result_.axis_pool.push_back(std::move(units));
        result_.axes[i].push_back(entry->second);
      }
    }
  }

  const Graph& graph_;
  Trace& trace_;
  Groups result_;
  std::unordered_map<Label, Places> places_;
  std::vector<Label> tags_;  // in the order they were met, so results don't depend on hashing
  std::unordered_map<Label, int32_t> units_;
};

}  // namespace

Groups find_groups(const Graph& graph, const GroupOptions& options) {
  Trace traced = trace(graph, infer(graph, options.sizes), options.trace);
  Groups groups = Finder(graph, traced).find();
  if (options.explain == Explain::pins) groups.pinned = explain_pins(graph, traced);
  groups.inferred = std::move(traced.inferred);
  return groups;
}

std::vector<char> alive(const Groups& groups, ValueId value, int64_t axis, const Removal& removal) {
  const int32_t pooled = groups.axes[value].empty() ? -1 : groups.axes[value][axis];
  if (pooled < 0) return {};
  const AxisUnits& units = groups.axis_pool[pooled];
  std::vector<char> stays(units.offsets.size() - 1, 1);
  for (size_t i = 0; i < stays.size(); ++i) {
    for (int32_t k = units.offsets[i]; k < units.offsets[i + 1]; ++k) {
      if (removal[units.units[k]]) stays[i] = 0;
    }
  }
  return stays;
}

Shape shape_after(const Groups& groups, ValueId value, Shape shape, const Removal& removal) {
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const std::vector<char> stays = alive(groups, value, static_cast<int64_t>(axis), removal);
    if (!stays.empty()) shape[axis] = std::count(stays.begin(), stays.end(), 1);
  }
  return shape;
}

}  // namespace coppice
