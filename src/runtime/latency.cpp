#include "runtime/latency.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/random.h"
#include "runtime/random_inputs.h"

namespace coppice {
namespace {

double thread_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

struct Contestant {
  Executable& executable;
  std::vector<Tensor> inputs, outputs;
  std::vector<RunTime> times = {};

  RunTime run() {
    const double core_ms = thread_ms();
    const auto start = std::chrono::steady_clock::now();
    executable.run(inputs, outputs);
    const auto end = std::chrono::steady_clock::now();
    return {std::chrono::duration<double, std::milli>(end - start).count(), thread_ms() - core_ms};
  }
};

// How many rounds fit into the time. Runs each model twice: first touch, then as it will be.
int rounds_for(std::vector<Contestant>& contestants, const LatencyOptions& options) {
  double round_ms = 0;
  for (Contestant& contestant : contestants) {
    contestant.run();
    if (options.before_run) options.before_run(0, options.max_runs);
    round_ms += contestant.run().ms;
  }
  const double budget_ms = 1e3 * options.budget_seconds * static_cast<double>(contestants.size());
  const double fitting = budget_ms / std::max(round_ms, 1e-6);
  return static_cast<int>(std::clamp<double>(fitting, options.min_runs, options.max_runs));
}

}  // namespace

std::vector<Tensor> random_inputs(std::span<const TensorType> types, uint64_t seed) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < types.size(); ++i) {
    Tensor tensor = Tensor::zeros(types[i].dtype, types[i].shape);
    if (tensor.dtype() == DType::f32) {
      Random::stream(seed, {i}).fill_normal(tensor.mutate<float>(), 1);
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

std::vector<Tensor> random_inputs(const Executable& executable, uint64_t seed) {
  std::vector<TensorType> types;
  for (size_t i = 0; i < executable.input_names().size(); ++i) {
    types.push_back({executable.input_dtype(i), executable.input_shape(i)});
  }
  return random_inputs(types, seed);
}

Latency latency_of(std::vector<RunTime> times, int threads) {
  COPPICE_CHECK(!times.empty(), "a latency of no runs");
  double all_ms = 0, core_ms = 0;
  for (const RunTime& time : times) {
    all_ms += time.ms;
    core_ms += time.core_ms;
  }
  std::ranges::sort(times, {}, &RunTime::ms);
  const auto at = [&](size_t percent) { return times[times.size() * percent / 100].ms; };
  std::optional<double> waited;
  if (threads == 1 && all_ms > 0) waited = std::max(0.0, 1 - core_ms / all_ms);
  return {.min_ms = at(0),
          .median_ms = at(50),
          .p95_ms = at(95),
          .spread = at(50) > 0 ? (at(75) - at(0)) / at(50) : 0,
          .waited = waited,
          .runs = static_cast<int>(times.size()),
          .threads = threads};
}

bool steady(const Latency& latency) {
  return latency.spread <= kMostSpread && latency.waited.value_or(0) <= kMostSpread;
}

std::optional<double> speedup(const Latency& before, const Latency& after) {
  if (!steady(before) || !steady(after) || after.median_ms <= 0) return std::nullopt;
  return before.median_ms / after.median_ms;
}

std::vector<Latency> measure_in_turns(std::span<Executable> models, const LatencyOptions& options) {
  std::vector<Contestant> contestants;
  for (Executable& model : models) {
    contestants.push_back({model, random_inputs(model, options.seed), model.allocate_outputs()});
  }
  const int rounds = rounds_for(contestants, options);
  // A machine that becomes busy gets fewer runs, not more time.
  const auto start = std::chrono::steady_clock::now();
  const std::chrono::duration<double> most(2 * options.budget_seconds *
                                           static_cast<double>(contestants.size()));
  for (int round = 0; round < rounds; ++round) {
    if (round >= options.min_runs && std::chrono::steady_clock::now() - start > most) break;
    for (Contestant& contestant : contestants) {
      if (options.before_run) options.before_run(round, rounds);
      contestant.times.push_back(contestant.run());
    }
  }
  std::vector<Latency> latencies;
  for (Contestant& contestant : contestants) {
    latencies.push_back(latency_of(std::move(contestant.times), contestant.executable.threads()));
  }
  return latencies;
}

Latency measure_latency(Executable& executable, const LatencyOptions& options) {
  return measure_in_turns(std::span(&executable, 1), options).front();
}

}  // namespace coppice
