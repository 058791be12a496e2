// See compose_plans.h.
#include "prune/compose_plans.h"

#include <algorithm>

#include "core/error.h"

namespace coppice {

Plan compose(const Plan& first, const Plan& then) {
  COPPICE_CHECK(then.masks.empty() && then.mask_files.empty(), "masks of a model that was cut");
  Plan result = first;
  result.method = then.method.empty() ? first.method : then.method;
  for (const PlanSlice& slice : then.slices) {
    const auto same_axis = [&](const PlanSlice& before) {
      return before.tensor == slice.tensor && before.axis == slice.axis;
    };
    auto found = std::ranges::find_if(result.slices, [&](const PlanSlice& before) {
      return same_axis(before) && before.use == slice.use;
    });
    if (found == result.slices.end() && slice.use) {
      // What was cut alike for all uses is cut further for this one.
      const auto all = std::ranges::find_if(
          result.slices, [&](const PlanSlice& before) { return same_axis(before) && !before.use; });
      if (all != result.slices.end()) {
        PlanSlice own = *all;
        own.use = slice.use;
        found = result.slices.insert(result.slices.end(), std::move(own));
      }
    }
    if (found == result.slices.end()) {
      result.slices.push_back(slice);
      continue;
    }
    COPPICE_CHECK(static_cast<int64_t>(found->keep.size()) == slice.size,
                  "two plans that don't follow each other");
    std::vector<int64_t> keep;
    for (const int64_t index : slice.keep) {
      COPPICE_CHECK(index >= 0 && index < slice.size, "a plan that keeps what isn't there");
      keep.push_back(found->keep[index]);
    }
    found->keep = std::move(keep);
  }
  return result;
}

}  // namespace coppice
