// See latency.h.
#include "cli/latency.h"

#include <algorithm>
#include <chrono>

#include "cli/interrupt.h"
#include "cli/progress.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Contestant {
  Executable& executable;
  std::vector<Tensor> inputs, outputs;
  std::vector<double> times_ms = {};

  double run() {
    const auto start = Clock::now();
    executable.run(inputs, outputs);
    return ms_since(start);
  }
};

Latency summary_of(std::vector<double>& times) {
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 95 / 100], static_cast<int>(times.size())};
}

// How many rounds fit into the time, given one run of each; that run also warms the caches.
int rounds_for(std::vector<Contestant>& contestants, const TimingOptions& options) {
  double round_ms = 0;
  for (Contestant& contestant : contestants) {
    contestant.run();
    stop_if_interrupted();
    round_ms += contestant.run();
  }
  const double budget_ms = 1e3 * options.seconds * static_cast<double>(contestants.size());
  const double fitting = budget_ms / std::max(round_ms, 1e-6);
  return static_cast<int>(std::clamp<double>(fitting, options.least_runs, options.most_runs));
}

}  // namespace

std::vector<Latency> measure_in_turns(std::span<Executable> models, const TimingOptions& options,
                                      const Console& console) {
  std::vector<Contestant> contestants;
  for (Executable& model : models) {
    contestants.push_back({model, random_inputs(model, options.seed), model.allocate_outputs()});
  }
  const int rounds = rounds_for(contestants, options);
  Progress progress(console, "measuring latency", "runs", rounds);
  for (int round = 0; round < rounds; ++round) {
    for (Contestant& contestant : contestants) {
      stop_if_interrupted();
      contestant.times_ms.push_back(contestant.run());
    }
    progress.update(round + 1);
  }
  std::vector<Latency> result;
  for (Contestant& contestant : contestants) result.push_back(summary_of(contestant.times_ms));
  return result;
}

}  // namespace coppice
