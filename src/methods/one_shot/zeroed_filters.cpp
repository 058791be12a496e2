// See zeroed_filters.h.
#include "methods/one_shot/zeroed_filters.h"

#include <algorithm>
#include <cmath>

#include "groups/cut/surgery.h"

namespace coppice {
namespace {

// A channel is scale * (x - mean) / deviation + shift: 0 where x, mean and shift are.
bool is_zeroed(Role role, Constants constants) {
  if (role == Role::filter) return true;
  return constants == Constants::zeroed &&
         (role == Role::bias || role == Role::norm_shift || role == Role::norm_mean);
}

}  // namespace

Masks masks_of_filters(const Graph& graph, const Groups& groups, const Removal& removal,
                       Constants constants) {
  Masks masks;
  for (const Group& group : groups.free) {
    for (const Slice& slice : group.slices) {
      const Value& weight = graph.value(slice.tensor);
      if (!is_zeroed(slice.role, constants) || weight.constant->dtype() != DType::f32) continue;
      const std::vector<int64_t> leaving = leaving_indices(group, slice, removal);
      if (leaving.empty()) continue;
      const auto [mask, added] =
          masks.try_emplace(weight.name, Tensor::zeros(DType::f32, weight.constant->shape()));
      if (added) std::ranges::fill(mask->second.mutate<float>(), 1.0f);
      fill_slices(mask->second, slice.axis, leaving, 0);
    }
  }
  return masks;
}

std::optional<ZeroedFilters> zeroed_filters_of(const Comparison& found) {
  if (!std::isfinite(found.difference)) return std::nullopt;
  return ZeroedFilters{.difference = found.difference, .share = found.error};
}

}  // namespace coppice
