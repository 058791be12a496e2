// Latency for people to compare: models take turns, run by run, so that a machine that slows down
// or is shared slows them alike, and Ctrl-C ends it between two runs.
#pragma once

#include <span>
#include <vector>

#include "cli/console.h"
#include "runtime/latency.h"

namespace coppice {

struct TimingOptions {
  double seconds = 1;  // of measuring, for each model
  int least_runs = 5, most_runs = 500;
  uint64_t seed = 0;
};

// One latency a model, in order. Shows progress; throws Error::interrupted on Ctrl-C.
std::vector<Latency> measure_in_turns(std::span<Executable> models, const TimingOptions& options,
                                      const Console& console);

}  // namespace coppice
