// See channel_pruning.h.
#include "methods/channel_pruning/channel_pruning.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "graph/passes/loosen.h"
#include "graph/passes/select_channels.h"
#include "prune/budget/share_kept.h"
#include "prune/latency/latency_meter.h"
#include "prune/regression/error_curves.h"
#include "prune/regression/unit_readers.h"

namespace coppice {
namespace {

// Groups that stay whole: told to, streams, and those that no layer can choose from.
std::vector<char> whole_groups(const Traced& traced, const ChannelPruningOptions& options) {
  OneShotOptions pruning = options.pruning;
  pruning.spine = OneShotOptions::Spine::keep;
  std::vector<char> whole = groups_to_keep(traced.graph(), traced.groups(), pruning);
  const std::vector<UnitReaders> readers = unit_readers(traced.graph(), traced.groups());
  for (size_t g = 0; g < whole.size(); ++g) {
    if (readers[g].why_none.empty()) continue;
    if (!whole[g]) {
      options.remark("channels of '" + traced.groups().free[g].name +
                     "' all stay: " + readers[g].why_none);
    }
    whole[g] = 1;
  }
  return whole;
}

// By group: how many times the share of others it keeps.
std::vector<double> shares_of(const Traced& traced, const std::vector<LayerRatio>& keep_more) {
  std::vector<double> shares(traced.groups().free.size(), 1);
  for (const auto& [pattern, times] : keep_more) {
    const auto matches = matching_groups(traced.graph(), traced.groups(), pattern, "keep-more");
    for (size_t g = 0; g < shares.size(); ++g) {
      if (matches[g]) shares[g] = times;
    }
  }
  return shares;
}

// An order for allocate's one rank in which every group keeps its times the same share: of N units
// the i-th to leave does so once the share sinks below (1 - i / N) / times.
Scores order_by_share(const Groups& groups, const std::vector<double>& times) {
  Scores scores{std::vector<float>(groups.unit_count, 0), {}};
  for (size_t g = 0; g < groups.free.size(); ++g) {
    const Group& group = groups.free[g];
    const auto units = static_cast<double>(group.units());
    for (int64_t i = 0; i < group.units(); ++i) {
      const double left = 1 - static_cast<double>(i + 1) / units;
      scores.units[group.first_unit + i] = static_cast<float>(-left / times[g]);
    }
  }
  return scores;
}

// What a cut keeps, as a share of what the budget is of.
using ShareKept = std::function<double(const Removal& removal)>;

ShareKept share_kept_of(const Traced& traced, const OneShotOptions& pruning,
                        const AllocationOptions& allocation) {
  if (allocation.budget.of == Budget::Of::latency) {
    const auto model = pruning.latency->model(traced, allocation);
    return [model](const Removal& removal) { return model->share(removal); };
  }
  return [&traced, of = allocation.budget.of](const Removal& removal) {
    return share_kept(traced.costs(), of, traced.costs().after(removal));
  };
}

// An order in which those units leave first that cost least error for what they save: with `times`
// above 1, an error counts for more. Within a group errors are taken to grow ever faster.
Scores order_by_errors(const Groups& groups, const std::vector<std::vector<double>>& curves,
                       const std::vector<double>& times, const ShareKept& kept) {
  Scores scores{std::vector<float>(groups.unit_count, 0), {}};
  for (size_t g = 0; g < groups.free.size(); ++g) {
    if (curves[g].empty()) continue;
    const Group& group = groups.free[g];
    Removal one(groups.unit_count, 0);
    one[group.first_unit] = 1;
    const double saves = 1 - kept(one);
    double last = 0;
    for (int64_t i = 0; i < group.units(); ++i) {
      const bool known = i + 1 < std::ssize(curves[g]);
      const double more = known ? (curves[g][i + 1] - curves[g][i]) * times[g] : INFINITY;
      last = std::max(last, saves > 0 ? more / saves : INFINITY);
      scores.units[group.first_unit + i] = static_cast<float>(last);
    }
  }
  return scores;
}

Scores order_of(const Traced& traced, const ChannelPruningOptions& options,
                const AllocationOptions& allocation) {
  const std::vector<double> times = shares_of(traced, options.keep_more);
  const bool ratio = allocation.budget.of == Budget::Of::ratio;
  const bool foretold = allocation.sensitivity != nullptr;  // which sets the widths itself
  if (ratio || foretold || options.share_by == ChannelPruningOptions::ShareBy::even) {
    return order_by_share(traced.groups(), times);
  }
  RegressionOptions looking = options.regression;
  looking.after_layer = options.looked_at;
  const auto curves =
      error_curves(traced.graph(), traced.groups(), allocation.kept_groups, looking);
  return order_by_errors(traced.groups(), curves, times,
                         share_kept_of(traced, options.pruning, allocation));
}

AllocationOptions allocation_of(const Traced& traced, const OneShotOptions& pruning,
                                const std::vector<char>& whole) {
  const bool ratio = pruning.budget.of == Budget::Of::ratio;
  return {.budget = pruning.budget,
          .scope = ratio ? Criterion::Scope::group : Criterion::Scope::global,
          .rounding = rounding_of(traced, pruning),
          .most_of_group = pruning.most_of_group,
          .kept_groups = whole,
          .sensitivity = pruning.sensitivity};
}

Widths widths_for_ratios(const Traced& traced, const ChannelPruningOptions& options,
                         const std::vector<char>& whole) {
  const bool others = options.pruning.budget.of == Budget::Of::ratio;
  Widths widths =
      widths_by_ratios(traced.graph(), traced.groups(), options.pruning.layer_ratios,
                       others ? 1 - options.pruning.budget.kept : 0, whole, "layer-ratio");
  const auto& free = traced.groups().free;
  const auto keeps_all = [&](size_t g) { return widths[g] == free[g].units(); };
  for (size_t g = 0; g < free.size(); ++g) {
    if (!keeps_all(g)) return widths;
  }
  fail_target("nothing leaves: the groups that ratios are given for are too narrow, or stay whole");
}

class Budgeting {
 public:
  Budgeting(const Traced& traced, const ChannelPruningOptions& options,
            const std::vector<char>& whole)
      : traced_(traced),
        latency_(options.pruning.latency.get()),
        allocation_(allocation_of(traced, options.pruning, whole)),
        scores_(order_of(traced, options, allocation_)) {}

  Widths widths() const { return widths_after(traced_.groups(), removal()); }

 private:
  Removal removal() const {
    const Budget& budget = allocation_.budget;
    if (budget.of == Budget::Of::latency) {  // what samplers take is measured with the rest
      return latency_->allocate(traced_, scores_, allocation_).removal;
    }
    Removal removal = removal_at(budget.kept);
    if (budget.of != Budget::Of::macs || share(removal) <= budget.kept) return removal;
    // Samplers cost something, too: what is left for the layers is found by halving.
    constexpr int kHalvings = 12;
    double low = 0, high = budget.kept;
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = low == 0 ? high - budget.kept / 16 : (low + high) / 2;
      if (middle <= 0) break;
      removal = removal_at(middle);
      (share(removal) <= budget.kept ? low : high) = middle;
    }
    if (low == 0) {
      fail_target("can't keep only a share of " + std::to_string(budget.kept) +
                      " of the multiply-accumulates with the samplers' own",
                  {option_hint("sampler", "off")});
    }
    return removal_at(low);
  }

  Removal removal_at(double kept) const {
    AllocationOptions allocation = allocation_;
    allocation.budget.kept = kept;
    return allocate(traced_.groups(), traced_.costs(), scores_, allocation).removal;
  }

  double share(const Removal& removal) const {
    const int64_t macs = traced_.costs().after(removal).macs +
                         sampler_macs(traced_.graph(), traced_.groups(), removal);
    return static_cast<double>(macs) / static_cast<double>(traced_.costs().all().macs);
  }

  const Traced& traced_;
  LatencyMeter* latency_;  // of a budget of latency
  AllocationOptions allocation_;
  Scores scores_;
};

}  // namespace

int64_t sampler_macs(const Graph& graph, const Groups& groups, const Removal& removal) {
  int64_t macs = 0;
  for (const Node& node : graph.nodes) {
    if (!is_selection(node)) continue;
    const Shape& shape = groups.inferred.shape(node.outputs[0]);
    const std::vector<char> stays = alive(groups, node.outputs[0], 1, removal);
    const auto kept = std::ranges::count(stays, 1);
    if (stays.empty() || kept == shape[1]) continue;
    macs += kept * (element_count(shape) / std::max<int64_t>(1, shape[0] * shape[1]));
  }
  return macs;
}

Outcome channel_pruning(const Graph& original, const ChannelPruningOptions& given) {
  ChannelPruningOptions options = given;
  const OneShotOptions& pruning = options.pruning;
  options.regression.seed = pruning.seed;
  options.regression.measure = pruning.measure;
  if (!pruning.measure) {
    fail_usage("channel pruning looks at how layers respond to images",
               {option_hint("data", "cifar10:DIR", "gives it some")});
  }
  Graph prepared = original;
  loosen(prepared);
  if (options.sampler == ChannelPruningOptions::Sampler::on) {
    add_selections(prepared, SelectBefore::layers);
  }
  const Traced traced(std::move(prepared));
  require_finite(traced.graph());
  const std::vector<char> whole = whole_groups(traced, options);
  const Widths widths = pruning.layer_ratios.empty() ? Budgeting(traced, options, whole).widths()
                                                     : widths_for_ratios(traced, options, whole);
  Graph graph = traced.graph();
  Groups groups = traced.groups();
  Regressed regressed = regress_layers(graph, groups, widths, options.regression);
  const Removal& removal = regressed.removal;

  Outcome outcome;
  outcome.plan = plan_of(traced.graph(), traced.groups(), removal);
  outcome.plan.method = "channel-pruning";
  outcome.before = traced.costs().all();
  outcome.after = traced.costs().after(removal);
  if (const int64_t macs = sampler_macs(traced.graph(), traced.groups(), removal)) {
    outcome.facts.emplace_back("sampler_macs", macs);
  }
  outcome.regressed = std::move(regressed.layers);
  cut_and_prove(graph, groups, removal, pruning, outcome);
  return outcome;
}

}  // namespace coppice
