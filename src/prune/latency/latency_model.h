// How long a net will take once units have left, foretold from times that were measured of its
// layers at several widths (measure_layers.h): each layer's time follows from how much work it is.
//
// What it can't know is how a layer's inputs and outputs share its work, and what a cut changes in
// how the runtime joins layers; so whoever has a budget measures what comes out, and corrects
// (latency_meter.h).
#pragma once

#include "prune/latency/latency_table.h"
#include "prune/latency/layer_work.h"

namespace coppice {

class LatencyModel {
 public:
  // Requires: the table is of this very net (structure_hash).
  LatencyModel(const Traced& traced, LatencyTable table);

  double ms(const Removal& removal) const;
  // Of the time that the whole net is foretold to take.
  double share(const Removal& removal) const { return ms(removal) / whole_ms_; }
  double whole_ms() const { return whole_ms_; }
  const LatencyTable& table() const { return table_; }

 private:
  LayerWork work_;
  LatencyTable table_;
  std::vector<int> nodes_;  // by layer of the table; -1: of none, its time stays as it is
  double whole_ms_ = 0;
};

}  // namespace coppice
