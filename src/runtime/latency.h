// How long one run takes, measured so that two models can be compared: after warming up, the median
// of many runs on the same seeded random inputs.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/executable.h"

namespace coppice {

struct Latency {
  double median_ms, p95_ms;
  int runs;
};

struct LatencyOptions {
  double budget_seconds = 1;  // stop after this time,
  int max_runs = 200;         // or after so many runs,
  int min_runs = 5;           // but not before these
  uint64_t seed = 1;
};

Latency measure_latency(Executable& executable, const LatencyOptions& options = {});

// float32: normal, deviation 1; any other type: zeros, which are valid as indices and as flags.
std::vector<Tensor> random_inputs(const Executable& executable, uint64_t seed);

}  // namespace coppice
