// See space.h.
#include "search/space.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

Widths choices_of(const Group& group, int64_t multiple, const WidthOptions& options) {
  constexpr double kEpsilon = 1e-9;  // 10 * 0.3 must be 3
  const int64_t units = group.units();
  Widths choices;
  for (int64_t i = 0; i < options.ratios; ++i) {
    const double step =
        options.ratios > 1 ? static_cast<double>(i) / static_cast<double>(options.ratios - 1) : 1;
    const double ratio = options.least + (1 - options.least) * step;
    const auto width =
        static_cast<int64_t>(std::floor(static_cast<double>(units) * ratio + kEpsilon));
    choices.push_back(
        std::clamp<int64_t>(width / multiple * multiple, std::min(multiple, units), units));
  }
  choices.push_back(units);
  std::ranges::sort(choices);
  const auto again = std::ranges::unique(choices);
  choices.erase(again.begin(), again.end());
  return choices;
}

// Moves the width one step; false where there is none in that direction.
bool move(const Widths& choices, int64_t& width, int64_t by) {
  const auto at = std::ranges::lower_bound(choices, width) - choices.begin() + by;
  if (at < 0 || at >= std::ssize(choices)) return false;
  width = choices[at];
  return true;
}

std::vector<size_t> shuffled(std::vector<size_t> genes, Random& random) {
  const std::vector<int64_t> order = random.permutation(std::ssize(genes));
  std::vector<size_t> mixed;
  for (const int64_t i : order) mixed.push_back(genes[i]);
  return mixed;
}

}  // namespace

std::vector<Widths> width_choices(const Groups& groups, const WidthOptions& options) {
  std::vector<Widths> choices;
  for (size_t g = 0; g < groups.free.size(); ++g) {
    const Group& group = groups.free[g];
    const bool kept = !options.kept_groups.empty() && options.kept_groups[g];
    const int64_t multiple = options.rounding.step(groups, g);
    choices.push_back(kept ? Widths{group.units()} : choices_of(group, multiple, options));
  }
  return choices;
}

std::vector<size_t> SearchSpace::genes() const {
  std::vector<size_t> genes;
  for (size_t g = 0; g < choices.size(); ++g) {
    if (choices[g].size() > 1) genes.push_back(g);
  }
  return genes;
}

Widths SearchSpace::narrowest() const {
  Widths widths;
  for (const Widths& of_group : choices) widths.push_back(of_group.front());
  return widths;
}

void require_reachable(const SearchSpace& space, const std::string& what) {
  if (space.genes().empty())
    fail_target("there is nothing to search: no group may change its width");
  const double least = space.cost(space.narrowest());
  if (least <= space.most) return;
  fail_target("can't keep only a share of " + std::to_string(space.most) + " of the " + what +
                  ": the narrowest widths of the search keep " + std::to_string(least),
              {option_hint("max-layer-ratio", "0.95", "searches narrower ones")});
}

Widths drawn_anyhow(const SearchSpace& space, Random& random) {
  Widths widths;
  for (const Widths& choices : space.choices) {
    widths.push_back(choices[random.below(choices.size())]);
  }
  return widths;
}

void bring_within(const SearchSpace& space, Widths& widths, Random& random) {
  const std::vector<size_t> genes = space.genes();
  while (!space.fits(widths)) {
    const size_t g = genes[random.below(genes.size())];
    move(space.choices[g], widths[g], -1);
  }
  for (bool grew = true; grew && space.cost(widths) < space.most - space.slack;) {
    grew = false;
    for (const size_t g : shuffled(genes, random)) {
      const int64_t before = widths[g];
      if (!move(space.choices[g], widths[g], 1)) continue;
      if (!space.fits(widths)) {
        widths[g] = before;
        continue;
      }
      grew = true;
      if (space.cost(widths) >= space.most - space.slack) return;
    }
  }
}

}  // namespace coppice
