// How long one run takes, measured so that two models can be compared: models take turns, run by
// run on the same seeded random inputs, so that a machine that slows down or is shared slows them
// alike; and where it is too busy to tell, that is known.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "runtime/executable.h"

namespace coppice {

struct RunTime {
  double ms;
  double core_ms;  // of these the calling thread had a core
};

struct Latency {
  double min_ms, median_ms, p95_ms;
  double spread;  // from the minimum to the upper quartile, as a share of the median
  std::optional<double>
      waited;  // share of all time for which the thread, the only one, had no core
  int runs, threads;
};

// With one thread time without a core is the machine's doing; several wait for each other, too.
// Requires: at least one time.
Latency latency_of(std::vector<RunTime> times, int threads);

// More than this, and what another moment would measure is anyone's guess.
inline constexpr double kMostSpread = 0.2;
// Neither its spread nor its waiting is more than kMostSpread.
bool steady(const Latency& latency);
// By how much `after` is faster, of the medians; nothing unless both are steady.
std::optional<double> speedup(const Latency& before, const Latency& after);

struct LatencyOptions {
  double budget_seconds = 1;  // for each model; what the runs that warm up take says how many fit,
  int max_runs = 200;         // but not more than these
  int min_runs = 5;           // and not fewer than these
  uint64_t seed = 1;
  std::function<void(int done, int runs)> before_run = {};  // may throw, to stop
};

// One latency a model, in order.
std::vector<Latency> measure_in_turns(std::span<Executable> models, const LatencyOptions& options);
Latency measure_latency(Executable& executable, const LatencyOptions& options = {});

// float32: normal, deviation 1; any other type: zeros, which are valid as indices and as flags.
std::vector<Tensor> random_inputs(const Executable& executable, uint64_t seed);

}  // namespace coppice
