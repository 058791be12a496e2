// How long one run of each model takes on this machine, in turns, and where the time goes: in
// Coppice's own runtime, or in one that people deploy in.
#pragma once

#include <string>
#include <vector>

#include "tasks/parts/common.h"
#include "tasks/parts/engines/engine.h"
#include "tasks/parts/latency.h"

namespace coppice {

struct BenchRequest {
  std::vector<std::string> models;  // not empty but for a calibration
  int64_t batch = 1;
  bool layers = false;     // the time of every layer of the one model, too
  bool calibrate = false;  // what kinds of layers take in the engine is measured first, and kept
  const TimingEngine* engine = find_engine("coppice");
  int64_t threads = 0;  // of an engine from outside; 0: one
  CommonRequest common = {};
};

struct BenchRow {
  std::string model, inputs;  // "1x3x32x32"
  int64_t batch = 1;
  Latency latency = {};
  std::optional<double> foretold_ms = {};  // by rates that were measured in the engine
};

struct BenchReport {
  std::string engine;  // and its version, where it is another than Coppice's
  std::vector<BenchRow> rows;
  std::vector<LayerTime> layers;
  double peak_gflops = 0;  // where there are layers: what they could come to (runtime/peak.h)
  std::vector<std::pair<std::string, double>> rates = {};  // named_rates, of a calibration
};

// Of what isn't multiplied by zero, a second; 0 where the layer multiplies by no constant weights.
double gflops(const LayerTime& layer);
// Whether many of a layer's weights are zero and it runs dense: that is faster here.
bool below_break_even(const LayerTime& layer);

// Throws Error::usage for another batch than a model's own, where that is fixed, for an engine that
// isn't installed, and for layers of several models or of another engine.
BenchReport bench(const BenchRequest& request, Watcher& watcher);

Json to_json(const BenchReport& report);

}  // namespace coppice
