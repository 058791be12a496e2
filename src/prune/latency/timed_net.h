// A compiled net whose layers run under a clock: what tables of measured times are made of.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/latency.h"

namespace coppice {

class TimedNet {
 public:
  // `target`: as it is, but for the clock. Throws Error::input, naming the node, for what the
  // runtime can't run.
  TimedNet(const Graph& graph, Target target, uint64_t seed);

  void warm_up() { executable_.run(inputs_, outputs_); }
  void run();
  // Medians over the runs by the name of the layer's first node (label_of); a layer's own reorders
  // belong to it. Requires: a run.
  std::map<std::string, double> median_ms() const;
  bool steady() const;  // the machine was quiet enough for other runs to take about as long

 private:
  Executable executable_;
  int threads_;
  std::vector<Tensor> inputs_, outputs_;
  std::map<std::string, std::vector<double>> ms_ = {};  // by layer
  std::vector<RunTime> runs_ = {};
};

}  // namespace coppice
