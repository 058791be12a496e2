// How long one run of a model takes on this machine, and where the time goes.
#pragma once

#include <string>
#include <vector>

#include "tasks/parts/common.h"
#include "tasks/parts/latency.h"

namespace coppice {

struct BenchRequest {
  std::string model;
  int64_t batch = 1;
  bool layers = false;  // the time of every layer, too
  CommonRequest common = {};
};

struct BenchReport {
  std::string model, inputs;  // "1x3x32x32"
  int64_t batch = 1;
  Latency latency;
  std::vector<LayerTime> layers;
};

// Throws Error::usage for another batch than the model's own, where that is fixed.
BenchReport bench(const BenchRequest& request, Watcher& watcher);

Json to_json(const BenchReport& report);

}  // namespace coppice
