// See measure_layers.h.
#include "prune/latency/measure_layers.h"

#include <algorithm>
#include <map>

#include "core/attempt.h"
#include "groups/cut/cut_out.h"
#include "prune/budget/allocate.h"
#include "prune/latency/layer_work.h"
#include "prune/latency/timed_net.h"

namespace coppice {
namespace {

constexpr double kShares[] = {0.8, 0.6, 0.4, 0.25, 0.12};  // of channels, beside all
constexpr double kMostOfGroup = 0.95;
constexpr int kRounds = 15;

// A share of every group stays; nothing where the widths don't allow that.
std::optional<Removal> uniform_removal(const Traced& traced, double share,
                                       const MeasureLayers& options) {
  const Scores none{std::vector<float>(traced.groups().unit_count, 0), {}};
  const auto allocation = attempt(ErrorKind::target, [&] {
    return allocate(traced.groups(), traced.costs(), none,
                    {.budget = {.of = Budget::Of::ratio, .kept = share},
                     .scope = Criterion::Scope::group,
                     .rounding = options.rounding,
                     .most_of_group = kMostOfGroup,
                     .kept_groups = options.kept_groups});
  });
  if (!allocation) return std::nullopt;
  return allocation->removal;
}

// The whole first; each once.
std::vector<Removal> removals_to_measure(const Traced& traced, const MeasureLayers& options) {
  std::vector<Removal> removals = {Removal(traced.groups().unit_count, 0)};
  for (const double share : kShares) {
    auto removal = uniform_removal(traced, share, options);
    if (removal && *removal != removals.back()) removals.push_back(std::move(*removal));
  }
  return removals;
}

struct Cut {
  std::vector<double> work;  // by node
  TimedNet net;
};

std::vector<LayerTimes> times_of(const std::vector<Cut>& cuts, const LayerWork& work) {
  std::map<std::string, std::vector<LayerPoint>> points;
  for (const Cut& cut : cuts) {
    for (const auto& [name, ms] : cut.net.median_ms()) {
      const int node = work.node_named(name);
      points[name].push_back({node < 0 ? 0 : cut.work[node], ms});
    }
  }
  std::vector<LayerTimes> layers;
  for (auto& [name, of_layer] : points) layers.push_back({name, rising(std::move(of_layer))});
  return layers;
}

}  // namespace

MeasuredLayers measure_layers(const Traced& traced, const MeasureLayers& options) {
  const LayerWork work(traced);
  std::vector<Cut> cuts;
  for (const Removal& removal : removals_to_measure(traced, options)) {
    if (options.before_run) options.before_run(0, kRounds);
    const Graph cut = cut_out(traced.graph(), traced.groups(), removal);
    cuts.push_back({work.after(removal), {cut, {.threads = options.threads}, options.seed}});
    cuts.back().net.warm_up();
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Cut& cut : cuts) {
      if (options.before_run) options.before_run(round, kRounds);
      cut.net.run();
    }
  }
  const bool quiet = std::ranges::all_of(cuts, [](const Cut& cut) { return cut.net.steady(); });
  return {{.cpu = options.cpu,
           .threads = options.threads,
           .net = options.net,
           .layers = times_of(cuts, work)},
          quiet};
}

}  // namespace coppice
