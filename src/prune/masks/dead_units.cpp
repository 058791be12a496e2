// See dead_units.h.
#include "prune/masks/dead_units.h"

#include <algorithm>

namespace coppice {
namespace {

// Calls visit(element) for every element of the slices `indices` of `axis`, until it returns false.
template <typename Visit>
bool for_all_elements(const Shape& shape, int64_t axis, const std::vector<int64_t>& indices,
                      Visit visit) {
  int64_t inner = 1, outer = 1;
  for (size_t a = 0; a < shape.size(); ++a) {
    if (static_cast<int64_t>(a) < axis) outer *= shape[a];
    if (static_cast<int64_t>(a) > axis) inner *= shape[a];
  }
  for (int64_t o = 0; o < outer; ++o) {
    for (const int64_t index : indices) {
      const int64_t first = (o * shape[axis] + index) * inner;
      for (int64_t i = first; i < first + inner; ++i) {
        if (!visit(static_cast<size_t>(i))) return false;
      }
    }
  }
  return true;
}

class DeadUnits {
 public:
  DeadUnits(const Graph& graph, Masks& masks) : graph_(graph), masks_(masks) {}

  // Whether any unit of the group died.
  bool bury(const Group& group) {
    bool changed = false;
    for (int64_t unit = 0; unit < group.units(); ++unit) {
      const bool dead = empty(group, Role::filter, unit) || empty(group, Role::input_channel, unit);
      if (dead) changed = clear(group, unit) || changed;
    }
    return changed;
  }

 private:
  Tensor* mask_of(const Slice& slice) {
    const auto found = masks_.find(graph_.value(slice.tensor).name);
    return found == masks_.end() ? nullptr : &found->second;
  }

  // Whether there are slices of this role, and all are masked.
  bool empty(const Group& group, Role role, int64_t unit) {
    bool any = false;
    for (const Slice& slice : group.slices) {
      if (slice.role != role) continue;
      any = true;
      const Tensor* mask = mask_of(slice);
      if (!mask) return false;
      const std::span<const float> stays = mask->as<float>();
      if (!for_all_elements(mask->shape(), slice.axis, slice.indices[unit],
                            [&](size_t i) { return stays[i] == 0; })) {
        return false;
      }
    }
    return any;
  }

  bool clear(const Group& group, int64_t unit) {
    bool changed = false;
    for (const Slice& slice : group.slices) {
      if (slice.role != Role::filter && slice.role != Role::input_channel) continue;
      Tensor* mask = mask_of(slice);
      if (!mask) continue;
      const Shape shape = mask->shape();
      const std::span<float> stays = mask->mutate<float>();
      for_all_elements(shape, slice.axis, slice.indices[unit], [&](size_t i) {
        changed = changed || stays[i] != 0;
        stays[i] = 0;
        return true;
      });
    }
    return changed;
  }

  const Graph& graph_;
  Masks& masks_;
};

}  // namespace

Masks without_dead_units(const Graph& graph, const Groups& groups, Masks masks) {
  DeadUnits units(graph, masks);
  for (bool changed = true; changed;) {
    changed = false;
    for (const Group& group : groups.free) changed = units.bury(group) || changed;
  }
  return masks;
}

}  // namespace coppice
