#include "methods/greedy/goal.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "methods/greedy/unit_address.h"
#include "prune/budget/share_kept.h"

namespace coppice {
namespace {

constexpr double kCountEpsilon = 1e-9;  // 0.3 of 10 is 3

int64_t units_at_least(int64_t units, double most_of_group) {
  const auto leave =
      static_cast<int64_t>(std::floor(static_cast<double>(units) * most_of_group + kCountEpsilon));
  return std::max<int64_t>(1, units - leave);
}

int64_t rounded_up(int64_t units, int64_t step) { return (units + step - 1) / step * step; }

// The units of a group by score, the least first.
class Queue {
 public:
  Queue(const Traced& traced, size_t group, const Scores& scores) {
    const Group& of = traced.groups().free[group];
    const UnitAddress address = address_of(traced.graph(), of);
    key_ = address.key;
    for (size_t u = 0; u < address.places.size(); ++u) {
      const auto unit = of.first_unit + static_cast<int32_t>(u);
      units_.emplace_back(scores.units[unit], address.places[u], unit);
    }
    std::ranges::sort(units_);
  }

  // What the next of them are worth, on the average; ties by names, not by numbers of values.
  std::pair<double, const std::string&> worth(int64_t count) const {
    double sum = 0;
    const auto end = std::min<size_t>(units_.size(), next_ + static_cast<size_t>(count));
    for (size_t i = next_; i < end; ++i) sum += std::get<0>(units_[i]);
    return {sum / static_cast<double>(count), key_};
  }

  bool empty() const { return next_ == units_.size(); }
  int32_t pop() { return std::get<2>(units_[next_++]); }

 private:
  std::string key_;
  std::vector<std::tuple<float, int64_t, int32_t>> units_;  // score, place, unit
  size_t next_ = 0;
};

// Whether one of its units can leave without emptying an axis.
bool can_lose(const Groups& groups, const Group& group) {
  for (int64_t u = 0; u < group.units(); ++u) {
    Removal removal(groups.unit_count, 0);
    removal[group.first_unit + u] = 1;
    if (std::ranges::count(alive_counts(groups, removal), 0) == 0) return true;
  }
  return false;
}

}  // namespace

Goal::Goal(const Traced& whole, const OneShotOptions& options, int64_t units,
           const std::vector<char>& unscored)
    : whole_(whole), options_(options), units_(units) {
  limit(unscored, Rounding());
  if (units == 0 && options.budget.of == Budget::Of::ratio) {
    int64_t competing = 0;  // all units of groups that may lose some
    const std::vector<Standing> all = standings(whole);
    for (size_t g = 0; g < all.size(); ++g)
      competing += all[g].may > 0 ? whole.groups().free[g].units() : 0;
    const double leave = static_cast<double>(competing) * (1 - options.budget.kept);
    units_ = std::max<int64_t>(1, static_cast<int64_t>(std::floor(leave + kCountEpsilon)));
  }
  Rounding rounding = units > 0 ? Rounding() : rounding_of(whole, options);
  limit(unscored, rounding);
  while (!can_be_reached()) {
    auto finer = rounding.finer();
    if (!finer) break;
    rounding = *std::move(finer);
    limit(unscored, rounding);
  }
  // That are counted whatever they cost: then all that may leave can.
  const bool counted = units_ > 0 && !options.sensitivity;
  const Removal chosen = counted
                             ? allocation({Budget::Of::ratio, 0}, Criterion::Scope::group, rounding)
                             : allocation(options.budget, Criterion::Scope::global, rounding);
  if (options.sensitivity) keep_what_stays(chosen);
  int64_t all = 0;
  for (const Standing& standing : standings(whole)) all += standing.may;
  if (units_ <= all && units_left(whole, 0) == 0) {
    fail_target("nothing would be removed: the widths are too small to be rounded",
                {option_hint("round-to", "1")});
  }
  if (units_ <= all) return;
  fail_target("can't remove " + std::to_string(units_) + " channels: at most " +
                  std::to_string(all) + " can go, since every group keeps a share",
              {option_hint("max-layer-ratio", "", "says how much of a group may go"),
               task_hint("inspect", "shows which axes are pinned")});
}

void Goal::limit(const std::vector<char>& unscored, const Rounding& rounding) {
  const Groups& groups = whole_.groups();
  const std::vector<char> kept = groups_to_keep(whole_.graph(), groups, options_);
  for (size_t g = 0; g < groups.free.size(); ++g) {
    const int64_t units = groups.free[g].units(), step = rounding.step(groups, g);
    const int64_t least = units_at_least(units, options_.most_of_group);
    const bool stays = kept[g] || (!unscored.empty() && unscored[g]);
    limits_[address_of(whole_.graph(), groups.free[g]).key] = {
        .whole = units,
        .stay = stays ? units : std::min(units, rounded_up(least, step)),
        .step = step};
  }
}

bool Goal::can_be_reached() const {
  const Groups& groups = whole_.groups();
  const std::vector<Standing> all = standings(whole_);
  Removal most(groups.unit_count, 0);
  for (size_t g = 0; g < all.size(); ++g)
    std::fill_n(most.begin() + groups.free[g].first_unit, all[g].may, 1);
  if (units_ == 0) return share(whole_.costs().after(most)) <= options_.budget.kept;
  return std::ranges::count(most, 1) >= units_ && !reached(whole_.costs().all(), all, 0);
}

Removal Goal::allocation(const Budget& budget, Criterion::Scope scope,
                         const Rounding& rounding) const {
  std::vector<char> kept;
  for (const Standing& standing : standings(whole_)) kept.push_back(standing.may == 0);
  const Scores none{std::vector<float>(whole_.groups().unit_count, 0), {}};
  return allocate(whole_.groups(), whole_.costs(), none,
                  {.budget = budget,
                   .scope = scope,
                   .rounding = rounding,
                   .most_of_group = options_.most_of_group,
                   .kept_groups = kept,
                   .sensitivity = options_.sensitivity})
      .removal;
}

void Goal::keep_what_stays(const Removal& removal) {
  for (const Group& group : whole_.groups().free) {
    const auto first = removal.begin() + group.first_unit;
    limits_[address_of(whole_.graph(), group).key] = {
        .whole = group.units(), .stay = std::count(first, first + group.units(), 0), .step = 1};
  }
  units_ = std::ranges::count(removal, 1);
}

double Goal::share(const Costs& now) const {
  return share_kept(whole_.costs(), options_.budget.of, now);
}

std::vector<Goal::Standing> Goal::standings(const Traced& now) const {
  std::vector<Standing> all;
  for (const Group& group : now.groups().free) {
    Standing& standing = all.emplace_back();
    const auto found = limits_.find(address_of(now.graph(), group).key);
    if (found == limits_.end() || group.units() <= found->second.stay) continue;
    const Limits& limits = found->second;
    const int64_t beyond = group.units() % limits.step;
    standing = {.may = group.units() - limits.stay,
                .block = beyond > 0 ? beyond : limits.step,
                .step = limits.step,
                .begun = beyond > 0 && group.units() < limits.whole};
    if (standing.begun && !can_lose(now.groups(), group)) standing = {};
  }
  return all;
}

// Units that are counted come no nearer to their number by a block of more than twice those that
// are left of it.
bool Goal::may_begin(const Standing& standing, int64_t removed) const {
  return standing.may > 0 && (units_ == 0 || 2 * (units_ - removed) >= standing.block);
}

bool Goal::reached(const Costs& now, const std::vector<Standing>& standings,
                   int64_t removed) const {
  if (std::ranges::any_of(standings, &Standing::begun)) return false;
  if (units_ == 0) return share(now) <= options_.budget.kept;
  return std::ranges::none_of(standings, [&](const Standing& s) { return may_begin(s, removed); });
}

// Costs are about the square of widths.
int64_t Goal::units_left(const Traced& now, int64_t removed) const {
  if (reached(now.costs().all(), standings(now), removed)) return 0;
  if (units_ > 0) return std::max<int64_t>(1, units_ - removed);
  const double leave = 1 - std::sqrt(options_.budget.kept / share(now.costs().all()));
  return std::max<int64_t>(1, static_cast<int64_t>(leave * now.groups().unit_count));
}

Removal Goal::least(const Traced& now, const Scores& scores, int64_t removed, int64_t most) const {
  const Groups& groups = now.groups();
  std::vector<Standing> standings = this->standings(now);
  std::vector<Queue> queues;
  for (size_t g = 0; g < standings.size(); ++g) queues.emplace_back(now, g, scores);
  // One that has begun, or else the block that matters least.
  const auto next = [&](int64_t leaving) {
    std::optional<size_t> best;
    for (size_t g = 0; g < standings.size(); ++g) {
      if (queues[g].empty() || (!scores.unscored.empty() && scores.unscored[g])) continue;
      if (!standings[g].begun && !may_begin(standings[g], removed + leaving)) continue;
      const auto rank = [&](size_t of) {
        return std::pair(!standings[of].begun, queues[of].worth(standings[of].block));
      };
      if (!best || rank(g) < rank(*best)) best = g;
    }
    return best;
  };
  Removal removal(groups.unit_count, 0);
  int64_t leaving = 0;
  while (leaving < most && !reached(now.costs().after(removal), standings, removed + leaving)) {
    const auto g = next(leaving);
    if (!g) break;
    const int32_t unit = queues[*g].pop();
    removal[unit] = 1;
    if (std::ranges::count(alive_counts(groups, removal), 0) > 0) {
      removal[unit] = 0;
      if (queues[*g].empty()) standings[*g] = {};
      continue;
    }
    standings[*g].lose_one();
    ++leaving;
  }
  return removal;
}

}  // namespace coppice
