#include "runtime/latency.h"

#include <algorithm>
#include <chrono>

#include "core/random.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The share of the budget that goes into warming caches, branch predictors and the clock rate up.
constexpr double kWarmUpShare = 0.1;

}  // namespace

std::vector<Tensor> random_inputs(const Executable& executable, uint64_t seed) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < executable.input_names().size(); ++i) {
    Tensor tensor = Tensor::zeros(executable.input_dtype(i), executable.input_shape(i));
    if (tensor.dtype() == DType::f32) {
      Random::stream(seed, {i}).fill_normal(tensor.mutate<float>(), 1);
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

Latency measure_latency(Executable& executable, const LatencyOptions& options) {
  const std::vector<Tensor> inputs = random_inputs(executable, options.seed);
  std::vector<Tensor> outputs = executable.allocate_outputs();
  const auto start = Clock::now();
  do {
    executable.run(inputs, outputs);
  } while (seconds_since(start) < kWarmUpShare * options.budget_seconds);

  std::vector<double> times;
  const auto measuring = Clock::now();
  while (static_cast<int>(times.size()) < options.max_runs) {
    const bool enough = static_cast<int>(times.size()) >= options.min_runs;
    if (enough && seconds_since(measuring) >= options.budget_seconds) break;
    const auto begin = Clock::now();
    executable.run(inputs, outputs);
    times.push_back(seconds_since(begin) * 1e3);
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 95 / 100], static_cast<int>(times.size())};
}

}  // namespace coppice
