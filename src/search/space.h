// What may be searched: how many units every group keeps, within a budget.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/random.h"
#include "prune/budget/rounding.h"
#include "prune/budget/widths.h"

namespace coppice {

struct WidthOptions {
  // The narrowest width is this share of a group's units, the widest all of them; between them lie
  // so many steps of equal size. Source: the 31 ratios of Liu et al., "MetaPruning", ICCV 2019,
  // arXiv:1903.10258, Sec. 3.1, floor(units * (0.1 + 0.03 i)).
  double least = 0.1;
  int64_t ratios = 31;
  Rounding rounding = Rounding();      // which widths there are, as in an allocation
  std::vector<char> kept_groups = {};  // by group: 1 leaves it alone; empty for none
};

// By group: its widths, ascending; all of its units where it is left alone.
std::vector<Widths> width_choices(const Groups& groups, const WidthOptions& options);

struct SearchSpace {
  std::vector<Widths> choices;  // by group, ascending; not empty
  // What a net of such widths costs, as a share of the whole net: of its multiply-accumulates, say.
  std::function<double(const Widths&)> cost;
  double most = 0.5;  // never passed
  // What is drawn is brought this near to `most`, if steps allow it: a budget is there to be used.
  double slack = 0.02;

  bool fits(const Widths& widths) const { return cost(widths) <= most; }
  // Groups with more than one choice.
  std::vector<size_t> genes() const;
  Widths narrowest() const;
};

// Throws Error::target where not even the narrowest net fits, with what can be reached, and where
// nothing may be chosen. `what`: "multiply-accumulates".
void require_reachable(const SearchSpace& space, const std::string& what);

// A choice for every group, each as likely as the others.
Widths drawn_anyhow(const SearchSpace& space, Random& random);
// Changes widths by one step of one group after the other, drawn at random: down until they fit,
// then up until they are near the budget or no group can grow any more. Requires: what
// require_reachable asks.
void bring_within(const SearchSpace& space, Widths& widths, Random& random);

}  // namespace coppice
