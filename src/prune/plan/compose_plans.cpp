// See compose_plans.h.
#include "prune/plan/compose_plans.h"

#include <algorithm>
#include <map>
#include <span>
#include <tuple>

#include "core/error.h"

namespace coppice {

namespace {

// A tensor's axis as it is used: the node's name is empty, the input -1, for all uses.
using Place = std::tuple<std::string, int64_t, std::string, int64_t>;

Place place_of(const PlanSlice& slice, const std::optional<Use>& use) {
  return {slice.tensor, slice.axis, use ? use->node : "", use ? use->input : -1};
}

void cut_further(PlanSlice& slice, const PlanSlice& then) {
  COPPICE_CHECK(std::ssize(slice.keep) == then.size, "two plans that don't follow each other");
  std::vector<int64_t> keep;
  for (const int64_t index : then.keep) {
    COPPICE_CHECK(index >= 0 && index < then.size, "a plan that keeps what isn't there");
    keep.push_back(slice.keep[index]);
  }
  slice.keep = std::move(keep);
}

// What is cut for all uses, whether they were cut alike before or each for itself. Whether they
// were.
bool cut_further_alike(std::span<PlanSlice> before, const PlanSlice& then) {
  const auto same = [&](const PlanSlice& slice) {
    return slice.tensor == then.tensor && slice.axis == then.axis;
  };
  const bool apart =
      std::ranges::any_of(before, [&](const PlanSlice& slice) { return same(slice) && slice.use; });
  bool any = false;
  for (PlanSlice& slice : before) {
    if (!same(slice)) continue;
    // Where every use was cut for itself since, what was said of all holds for none.
    const bool for_none = apart && !slice.use && std::ssize(slice.keep) != then.size;
    if (!for_none) cut_further(slice, then);
    any = true;
  }
  return any;
}

}  // namespace

Plan compose(const Plan& first, const Plan& then) {
  COPPICE_CHECK(then.masks.empty() && then.mask_files.empty(), "masks of a model that was cut");
  Plan result = first;
  result.method = then.method.empty() ? first.method : then.method;
  std::map<Place, size_t> places;  // -> index in result.slices, the first
  for (size_t i = 0; i < first.slices.size(); ++i) {
    places.emplace(place_of(first.slices[i], first.slices[i].use), i);
  }
  const size_t before = first.slices.size();
  for (const PlanSlice& slice : then.slices) {
    if (!slice.use && cut_further_alike(std::span(result.slices).first(before), slice)) continue;
    const Place place = place_of(slice, slice.use);
    auto found = places.find(place);
    if (found == places.end()) {
      // What was cut alike for all uses is cut further for this one.
      const auto all = slice.use ? places.find(place_of(slice, {})) : places.end();
      PlanSlice own = all == places.end() ? slice : result.slices[all->second];
      own.use = slice.use;
      result.slices.push_back(std::move(own));
      found = places.emplace(place, result.slices.size() - 1).first;
      if (all == places.end()) continue;
    }
    cut_further(result.slices[found->second], slice);
  }
  return result;
}

}  // namespace coppice
