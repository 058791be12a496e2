// See measure_layers.h.
#include "prune/latency/measure_layers.h"

#include <algorithm>
#include <map>

#include "core/attempt.h"
#include "groups/cut/cut_out.h"
#include "prune/budget/allocate.h"
#include "prune/latency/layer_work.h"
#include "runtime/latency.h"

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

// One cut of the net, and the times of its layers run by run.
struct Cut {
  std::vector<double> work;  // by node
  Executable executable;
  std::vector<Tensor> inputs, outputs;
  std::map<std::string, std::vector<double>> ms = {};  // by layer
  std::vector<RunTime> runs = {};

  void run() { executable.run(inputs, outputs); }
  void run_timed() {
    run();
    std::map<std::string, double> of_run;  // a layer's own reorders belong to it
    double all = 0;
    for (const LayerTime& layer : executable.layer_times()) {
      of_run[layer.name] += layer.ms;
      all += layer.ms;
    }
    runs.push_back({all, all});
    for (const auto& [name, time] : of_run) ms[name].push_back(time);
  }
};

Cut cut_to_measure(const Traced& traced, const LayerWork& work, const Removal& removal,
                   const MeasureLayers& options) {
  Executable executable = compile(cut_out(traced.graph(), traced.groups(), removal), {},
                                  {.threads = options.threads, .profile = Target::Profile::on});
  std::vector<Tensor> inputs = random_inputs(executable, options.seed);
  std::vector<Tensor> outputs = executable.allocate_outputs();
  return {work.after(removal), std::move(executable), std::move(inputs), std::move(outputs)};
}

double median(std::vector<double> times) {
  std::ranges::nth_element(times, times.begin() + std::ssize(times) / 2);
  return times[times.size() / 2];
}

std::vector<LayerTimes> times_of(const std::vector<Cut>& cuts, const LayerWork& work) {
  std::map<std::string, std::vector<LayerPoint>> points;
  for (const Cut& cut : cuts) {
    for (const auto& [name, ms] : cut.ms) {
      const int node = work.node_named(name);
      points[name].push_back({node < 0 ? 0 : cut.work[node], median(ms)});
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
    cuts.push_back(cut_to_measure(traced, work, removal, options));
    cuts.back().run();
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Cut& cut : cuts) {
      if (options.before_run) options.before_run(round, kRounds);
      cut.run_timed();
    }
  }
  const bool quiet = std::ranges::all_of(
      cuts, [&](const Cut& cut) { return steady(latency_of(cut.runs, options.threads)); });
  return {{.cpu = options.cpu,
           .threads = options.threads,
           .net = options.net,
           .layers = times_of(cuts, work)},
          quiet};
}

}  // namespace coppice
