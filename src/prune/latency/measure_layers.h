// Times of a net's layers at several widths, measured here: the net is cut to some shares of its
// channels, the same in every group, and the cuts run in turns, layer by layer under a clock. So
// each time is that of the layer among its neighbours, in the layouts and with the activations
// joined to it that it will have.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "groups/traced.h"
#include "prune/budget/rounding.h"
#include "prune/latency/latency_table.h"

namespace coppice {

struct MeasureLayers {
  std::string cpu, net;                // to be written into the table (latency_table.h)
  int threads = 1;                     // from 1 up
  Rounding rounding = Rounding();      // as widths of the cut will be
  std::vector<char> kept_groups = {};  // by group: 1 isn't cut
  uint64_t seed = 0;                   // of the inputs
  std::function<void(int done, int runs)> before_run = {};  // may throw, to stop
};

struct MeasuredLayers {
  LatencyTable table;
  bool steady = true;  // the machine was quiet enough for the table to hold another time
};

// Throws Error::input, naming the node, for what the runtime can't run.
MeasuredLayers measure_layers(const Traced& traced, const MeasureLayers& options);

}  // namespace coppice
