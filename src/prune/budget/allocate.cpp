#include "prune/budget/allocate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/words/percent.h"
#include "prune/budget/share_kept.h"
#include "prune/latency/latency_model.h"
#include "prune/sensitivity/predicted_loss.h"

namespace coppice {
namespace {

// Undoes 1 - 0.9 = 0.0999...98, so that 0.1 of 20 is 2.
constexpr double kCountEpsilon = 1e-9;

class Allocator {
 public:
  Allocator(const Groups& groups, const CostModel& costs, const Scores& scores,
            const AllocationOptions& options)
      : groups_(groups), costs_(costs), scores_(scores), options_(options) {
    for (size_t g = 0; g < groups.free.size(); ++g) rank_group(g);
    if (options.sensitivity) price_units();
  }

  Allocation allocate() {
    if (std::ranges::all_of(most_, [](int64_t most) { return most == 0; })) {
      if (groups_.free.empty()) {
        fail_target("nothing may be removed: no channel of the model is free",
                    {task_hint("inspect", "says why")});
      }
      fail_target("nothing may be removed: all of the " + std::to_string(groups_.free.size()) +
                  " groups are left alone or have one unit");
    }
    Allocation result;
    result.before = costs_.all();
    const bool ratio = options_.budget.of == Budget::Of::ratio;
    const std::vector<int64_t> plain = !ratio              ? by_budget()
                                       : compares_groups() ? by_ratio_of_all()
                                                           : by_ratio();
    result.removal = removal_for(ratio ? rounded_on_average(plain) : rounded_within_budget(plain));
    result.after = costs_.after(result.removal);
    for (size_t g = 0; g < plain.size(); ++g) {
      const Group& group = groups_.free[g];
      const auto first = result.removal.begin() + group.first_unit;
      result.rounding_moved += std::abs(std::count(first, first + group.units(), 1) - plain[g]);
    }
    if (std::ranges::count(result.removal, 1) == 0) {
      fail_target("nothing would be removed: the widths are too small to be rounded",
                  {option_hint("round-to", "1")});
    }
    return result;
  }

 private:
  // The units of a group from the least important on, and how many may leave.
  void rank_group(size_t g) {
    const Group& group = groups_.free[g];
    std::vector<int32_t> order(group.units());
    std::iota(order.begin(), order.end(), group.first_unit);
    std::ranges::stable_sort(
        order, [&](int32_t a, int32_t b) { return scores_.units[a] < scores_.units[b]; });
    const int64_t units = group.units();
    const auto leave = static_cast<int64_t>(
        std::floor(static_cast<double>(units) * options_.most_of_group + kCountEpsilon));
    const bool kept = (!options_.kept_groups.empty() && options_.kept_groups[g]) ||
                      (!scores_.unscored.empty() && scores_.unscored[g]);
    order_.push_back(std::move(order));
    most_.push_back(kept ? 0 : std::min(leave, units - 1));
  }

  std::vector<int64_t> by_ratio() const {
    std::vector<int64_t> leave;
    for (size_t g = 0; g < most_.size(); ++g) {
      leave.push_back(std::min(most_[g], part_of(static_cast<int64_t>(order_[g].size()))));
    }
    return leave;
  }

  // The first of the one order, as many as the ratio says of all units that compete.
  std::vector<int64_t> by_ratio_of_all() const {
    const std::vector<size_t> sequence = one_order();
    int64_t competing = 0;
    for (size_t g = 0; g < most_.size(); ++g) {
      if (most_[g] > 0) competing += static_cast<int64_t>(order_[g].size());
    }
    const int64_t wanted = part_of(competing);
    if (wanted > std::ssize(sequence)) {
      fail_target(
          "can't remove " + percent(1 - options_.budget.kept) + " of the " +
              std::to_string(competing) + " channels: at most " +
              percent(static_cast<double>(sequence.size()) / static_cast<double>(competing)) +
              " can go, since every group keeps " + percent(1 - options_.most_of_group),
          {option_hint("max-layer-ratio", "", "says how much of a group may go")});
    }
    return prefix(sequence, static_cast<size_t>(wanted));
  }

  int64_t part_of(int64_t units) const {
    return static_cast<int64_t>(
        std::floor(static_cast<double>(units) * (1 - options_.budget.kept) + kCountEpsilon));
  }

  std::vector<int64_t> prefix(const std::vector<size_t>& sequence, size_t length) const {
    std::vector<int64_t> leave(most_.size(), 0);
    for (size_t i = 0; i < length; ++i) ++leave[sequence[i]];
    return leave;
  }

  // Of a budget below what can be reached.
  Hints least_hints() const {
    Hints hints = {task_hint("inspect", "shows which axes are pinned")};
    if (options_.rounding.rounds()) {
      hints.insert(hints.begin(), option_hint("round-to", "1", "leaves widths as they come"));
    }
    return hints;
  }

  // Shortest prefix of the one order that meets the budget, also when its widths are rounded down.
  std::vector<int64_t> by_budget() const {
    const std::vector<size_t> sequence = one_order();
    const auto share = [&](size_t length) {
      const std::vector<int64_t> leave = prefix(sequence, length), down = rounded_down(leave);
      const double exact = share_after(leave);
      return down == leave ? exact : std::max(exact, share_after(down));
    };
    size_t low = 0, high = sequence.size();
    if (const double least = share(high); least > options_.budget.kept) {
      fail_target("can't keep only " + percent(options_.budget.kept) + " of the " +
                      name_of(options_.budget.of) + ": " + percent(least) +
                      " is the least that can be reached, since " +
                      percent(1 - options_.most_of_group) + " of every group stay" +
                      (options_.rounding.rounds() ? ", widths are rounded" : "") +
                      " and some axes are pinned",
                  least_hints());
    }
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (share(middle) <= options_.budget.kept) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return prefix(sequence, low);
  }

  double share_after(const std::vector<int64_t>& leave) const {
    const Removal removal = removal_for(leave);
    if (options_.budget.of == Budget::Of::latency) return options_.latency->share(removal);
    return share_kept(costs_, options_.budget.of, costs_.after(removal));
  }

  // Whether units compete with those of other groups, so that no ratio holds for every group.
  bool compares_groups() const {
    return options_.sensitivity || options_.scope == Criterion::Scope::global;
  }

  // By the curves that were measured: what the model is foretold to lose by each unit, for what it
  // saves while all others are there.
  void price_units() {
    std::vector<char> needed;
    for (const int64_t most : most_) needed.push_back(most > 0);
    prices_ = predicted_losses(*options_.sensitivity, groups_, needed);
    for (size_t g = 0; g < prices_.size(); ++g) {
      if (needed[g]) prices_[g] = prices_of(prices_[g], saved_by_one(g));
    }
  }

  // Of what the budget is of, by the group's first unit to leave.
  double saved_by_one(size_t g) const {
    if (options_.budget.of == Budget::Of::ratio) return 1;
    std::vector<int64_t> one(most_.size(), 0);
    one[g] = 1;
    return 1 - share_after(one);
  }

  // What the one order is by: of the group's unit i, from the least important on.
  double price_of(size_t g, int64_t i) const {
    if (options_.sensitivity) return prices_[g][i];
    if (options_.scope == Criterion::Scope::global) return scores_.units[order_[g][i]];
    return static_cast<double>(i + 1) / static_cast<double>(order_[g].size());
  }

  // The order in which units leave, as the group of each. Within a group it is always by score.
  std::vector<size_t> one_order() const {
    struct Entry {
      double key, share;
      int32_t unit;
      size_t group;
    };
    std::vector<Entry> entries;
    for (size_t g = 0; g < most_.size(); ++g) {
      for (int64_t i = 0; i < most_[g]; ++i) {
        const int32_t unit = order_[g][i];
        entries.push_back({price_of(g, i),
                           static_cast<double>(i + 1) / static_cast<double>(order_[g].size()), unit,
                           g});
      }
    }
    std::ranges::sort(entries, [this](const Entry& a, const Entry& b) {
      if (a.key != b.key) return a.key < b.key;
      if (options_.sensitivity && a.share != b.share) return a.share < b.share;
      return a.unit < b.unit;
    });
    std::vector<size_t> sequence;
    sequence.reserve(entries.size());
    for (const Entry& entry : entries) sequence.push_back(entry.group);
    return sequence;
  }

  // The step in units at which a group's width is a round number.
  int64_t step_of(size_t g) const { return options_.rounding.step(groups_, g); }

  // How many leave a group if its width becomes the last round one up to `kept` that it may
  // shrink to. A group that nothing leaves keeps its width.
  int64_t leaving_at_round_width(size_t g, int64_t kept, int64_t step) const {
    const auto units = static_cast<int64_t>(order_[g].size());
    const int64_t least = (units - most_[g] + step - 1) / step * step;
    return units - std::min(units, std::max(least, kept / step * step));
  }

  std::vector<int64_t> rounded_down(std::vector<int64_t> leave) const {
    for (size_t g = 0; g < leave.size(); ++g) {
      const int64_t kept = static_cast<int64_t>(order_[g].size()) - leave[g];
      if (leave[g] > 0) leave[g] = leaving_at_round_width(g, kept, step_of(g));
    }
    return leave;
  }

  // A width that was rounded down and may go up again.
  struct Raise {
    size_t group, slices;
    double lost;    // share of a step
    int64_t leave;  // then
  };

  // First the widths that most tensors share, since rounding a residual spine of 16 channels down
  // to 8 costs every block of its stage; then those that lost most.
  std::vector<Raise> raises_from(const std::vector<int64_t>& plain,
                                 const std::vector<int64_t>& down) const {
    std::vector<Raise> raises;
    for (size_t g = 0; g < down.size(); ++g) {
      if (down[g] <= plain[g]) continue;
      const int64_t kept = static_cast<int64_t>(order_[g].size()) - plain[g];
      const int64_t step = step_of(g);
      raises.push_back({g, groups_.free[g].slices.size(),
                        static_cast<double>(down[g] - plain[g]) / static_cast<double>(step),
                        leaving_at_round_width(g, kept + step - 1, step)});
    }
    std::ranges::stable_sort(raises, [](const Raise& a, const Raise& b) {
      return a.slices != b.slices ? a.slices > b.slices : a.lost > b.lost;
    });
    return raises;
  }

  // All widths down to round ones, and then up again while that brings the units of all groups
  // together nearer to what the ratio says: groups too narrow to lose their own share of so wide
  // steps lose it between them.
  std::vector<int64_t> rounded_on_average(const std::vector<int64_t>& plain) const {
    std::vector<int64_t> leave = rounded_down(plain);
    const auto sum = [](const std::vector<int64_t>& counts) {
      return std::accumulate(counts.begin(), counts.end(), int64_t{0});
    };
    int64_t too_many = sum(leave) - sum(plain);
    for (const Raise& raise : raises_from(plain, leave)) {
      const int64_t returned = leave[raise.group] - raise.leave;
      if (std::abs(too_many - returned) >= std::abs(too_many)) continue;
      too_many -= returned;
      leave[raise.group] = raise.leave;
    }
    return leave;
  }

  // All widths down to round ones, and then up again those that the budget has room for.
  std::vector<int64_t> rounded_within_budget(const std::vector<int64_t>& plain) const {
    std::vector<int64_t> leave = rounded_down(plain);
    const std::vector<Raise> raises = raises_from(plain, leave);
    // One that has no room is passed over, but not for ever: each try counts all units.
    constexpr int kMostPassedOver = 16;
    size_t next = 0;
    for (int passed = 0; passed < kMostPassedOver && next < raises.size(); ++passed, ++next) {
      const auto raised = [&](size_t end) {
        std::vector<int64_t> result = leave;
        for (size_t i = next; i < end; ++i) result[raises[i].group] = raises[i].leave;
        return result;
      };
      size_t low = next, high = raises.size();
      while (low < high) {
        const size_t middle = (low + high + 1) / 2;
        if (share_after(raised(middle)) <= options_.budget.kept) {
          low = middle;
        } else {
          high = middle - 1;
        }
      }
      leave = raised(low);
      next = low;
    }
    return leave;
  }

  Removal removal_for(const std::vector<int64_t>& leave) const {
    Removal removal(groups_.unit_count, 0);
    for (size_t g = 0; g < leave.size(); ++g) {
      for (int64_t i = 0; i < leave[g]; ++i) removal[order_[g][i]] = 1;
    }
    refill_empty_axes(removal);
    return removal;
  }

  // A group may feed several pieces (a Split); no piece of any value may run empty, so the best of
  // an empty piece's units come back.
  void refill_empty_axes(Removal& removal) const {
    for (const AxisUnits& axis : groups_.axis_pool) {
      const size_t size = axis.offsets.size() - 1;
      int64_t best_index = -1;
      double best = 0;
      bool empty = true;
      for (size_t i = 0; i < size && empty; ++i) {
        double worst = INFINITY;  // an index is as good as its weakest unit
        bool stays = true;
        for (int32_t k = axis.offsets[i]; k < axis.offsets[i + 1]; ++k) {
          stays = stays && !removal[axis.units[k]];
          worst = std::min<double>(worst, scores_.units[axis.units[k]]);
        }
        empty = !stays;
        if (best_index < 0 || worst > best) {
          best = worst;
          best_index = static_cast<int64_t>(i);
        }
      }
      if (!empty || best_index < 0) continue;
      for (int32_t k = axis.offsets[best_index]; k < axis.offsets[best_index + 1]; ++k) {
        removal[axis.units[k]] = 0;
      }
    }
  }

  const Groups& groups_;
  const CostModel& costs_;
  const Scores& scores_;
  const AllocationOptions& options_;
  std::vector<std::vector<int32_t>> order_;  // by group
  std::vector<int64_t> most_;                // by group: how many units may leave
  std::vector<std::vector<double>> prices_;  // by group
};

}  // namespace

const char* name_of(Budget::Of of) {
  switch (of) {
    case Budget::Of::parameters: return "parameters";
    case Budget::Of::macs: return "MACs";
    case Budget::Of::ratio: return "channels";
    case Budget::Of::latency: return "latency";
  }
  return "";
}

Allocation allocate(const Groups& groups, const CostModel& costs, const Scores& scores,
                    const AllocationOptions& options) {
  AllocationOptions now = options;
  while (true) {
    std::optional<Rounding> finer;
    try {
      return Allocator(groups, costs, scores, now).allocate();
    } catch (const Error& error) {
      // A runtime's rounding is a preference: narrow nets, whose steps are too coarse, go without.
      finer = now.rounding.finer();
      if (error.kind() != ErrorKind::target || !finer) throw;
    }
    now.rounding = *std::move(finer);
  }
}

}  // namespace coppice
