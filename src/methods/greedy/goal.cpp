#include "methods/greedy/goal.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "core/error.h"
#include "methods/greedy/unit_address.h"

namespace coppice {
namespace {

constexpr double kCountEpsilon = 1e-9;  // 0.3 of 10 is 3

double share_of(const Budget& budget, const Costs& now, const Costs& before) {
  return budget.of == Budget::Of::macs
             ? static_cast<double>(now.macs) / static_cast<double>(before.macs)
             : static_cast<double>(now.parameters) / static_cast<double>(before.parameters);
}

int64_t units_at_least(int64_t units, double most_of_group) {
  const auto leave =
      static_cast<int64_t>(std::floor(static_cast<double>(units) * most_of_group + kCountEpsilon));
  return std::max<int64_t>(1, units - leave);
}

// All units of groups that may lose some.
int64_t competing_units(const Groups& groups, const std::vector<int64_t>& may_leave) {
  int64_t units = 0;
  for (size_t g = 0; g < may_leave.size(); ++g)
    units += may_leave[g] > 0 ? groups.free[g].units() : 0;
  return units;
}

}  // namespace

Goal::Goal(const Traced& whole, const OneShotOptions& options, int64_t units,
           const std::vector<char>& unscored)
    : options_(options), before_(whole.costs().all()), units_(units) {
  const Groups& groups = whole.groups();
  for (const Group& group : groups.free) {
    stay_[address_of(whole.graph(), group).key] =
        units_at_least(group.units(), options.most_of_group);
  }
  const std::vector<int64_t> may = may_leave(whole, unscored);
  const bool ratio = options.budget.of == Budget::Of::ratio;
  if (units == 0 && ratio) {
    const double leave =
        static_cast<double>(competing_units(groups, may)) * (1 - options.budget.kept);
    units_ = std::max<int64_t>(1, static_cast<int64_t>(std::floor(leave + kCountEpsilon)));
  }
  // That are counted whatever they cost: then all that may leave can.
  const bool counted = units_ > 0 && !options.sensitivity;
  const Removal chosen =
      allocation(whole, may, counted ? Budget{Budget::Of::ratio, 0} : options.budget,
                 counted ? Criterion::Scope::group : Criterion::Scope::global);
  if (options.sensitivity) keep_what_stays(whole, chosen);
  const int64_t all = std::accumulate(may.begin(), may.end(), int64_t{0});
  if (units_ <= all) return;
  fail_target("can't remove " + std::to_string(units_) + " channels: at most " +
                  std::to_string(all) + " can go, since every group keeps a share",
              {option_hint("max-layer-ratio", "", "says how much of a group may go"),
               task_hint("inspect", "shows which axes are pinned")});
}

Removal Goal::allocation(const Traced& whole, const std::vector<int64_t>& may, const Budget& budget,
                         Criterion::Scope scope) const {
  std::vector<char> kept(may.size());
  std::ranges::transform(may, kept.begin(), [](int64_t most) { return most == 0; });
  const Scores none{std::vector<float>(whole.groups().unit_count, 0), {}};
  return allocate(whole.groups(), whole.costs(), none,
                  {.budget = budget,
                   .scope = scope,
                   .most_of_group = options_.most_of_group,
                   .kept_groups = kept,
                   .sensitivity = options_.sensitivity})
      .removal;
}

void Goal::keep_what_stays(const Traced& whole, const Removal& removal) {
  for (const Group& group : whole.groups().free) {
    const auto first = removal.begin() + group.first_unit;
    stay_[address_of(whole.graph(), group).key] = std::count(first, first + group.units(), 0);
  }
  units_ = std::ranges::count(removal, 1);
}

bool Goal::reached(const Costs& now, int64_t removed) const {
  if (units_ > 0) return removed >= units_;
  return share_of(options_.budget, now, before_) <= options_.budget.kept;
}

// Costs are about the square of widths.
int64_t Goal::units_left(const Traced& now, int64_t removed) const {
  if (reached(now.costs().all(), removed)) return 0;
  if (units_ > 0) return units_ - removed;
  const double share = share_of(options_.budget, now.costs().all(), before_);
  const double leave = 1 - std::sqrt(options_.budget.kept / share);
  const auto units = static_cast<int64_t>(leave * now.groups().unit_count);
  return std::max<int64_t>(1, units);
}

std::vector<int64_t> Goal::may_leave(const Traced& now, const std::vector<char>& unscored) const {
  const Groups& groups = now.groups();
  const std::vector<char> kept = groups_to_keep(now.graph(), groups, options_);
  std::vector<int64_t> may;
  for (size_t g = 0; g < groups.free.size(); ++g) {
    const auto stay = stay_.find(address_of(now.graph(), groups.free[g]).key);
    const int64_t least = stay == stay_.end() ? groups.free[g].units() : stay->second;
    const bool may_lose = !kept[g] && (unscored.empty() || !unscored[g]);
    may.push_back(may_lose ? std::max<int64_t>(0, groups.free[g].units() - least) : 0);
  }
  return may;
}

Removal Goal::least(const Traced& now, const Scores& scores, int64_t removed, int64_t most) const {
  const Groups& groups = now.groups();
  std::vector<int64_t> may = may_leave(now, scores.unscored);
  using Entry = std::tuple<float, std::string, int64_t, int32_t, size_t>;  // last: unit, group
  std::vector<Entry> entries;
  for (size_t g = 0; g < may.size(); ++g) {
    if (may[g] == 0) continue;
    const UnitAddress address = address_of(now.graph(), groups.free[g]);
    for (size_t u = 0; u < address.places.size(); ++u) {
      const auto unit = groups.free[g].first_unit + static_cast<int32_t>(u);
      entries.emplace_back(scores.units[unit], address.key, address.places[u], unit, g);
    }
  }
  std::ranges::sort(entries);
  Removal removal(groups.unit_count, 0);
  int64_t leaving = 0;
  for (const auto& [score, key, place, unit, g] : entries) {
    if (leaving == most || reached(now.costs().after(removal), removed + leaving)) break;
    if (may[g] == 0) continue;
    removal[unit] = 1;
    if (std::ranges::count(alive_counts(groups, removal), 0) > 0) {
      removal[unit] = 0;
      continue;
    }
    --may[g];
    ++leaving;
  }
  return removal;
}

}  // namespace coppice
