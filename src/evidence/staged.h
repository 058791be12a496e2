// Evidence of a net whose layers change one after the other: what a value holds for all images is
// kept once nothing before it changes any more, and the net is run from there. So as many passes as
// layers cost little more than a few.
#pragma once

#include <vector>

#include "evidence/evidence.h"

namespace coppice {

class Staged {
 public:
  explicit Staged(Measure measure) : measure_(std::move(measure)) {}

  // Of a net of which only nodes behind the value that is kept have changed. `values`: all that
  // must be computed to answer.
  Evidence measure(const Graph& graph, const std::vector<ValueId>& values,
                   std::span<const EvidenceRequest> requests) const;

  // Keeps the value of so many images from now on, unless that takes too much memory or they aren't
  // along its first axis. Requires: whatever is asked for from now on is a function of it
  // (bottlenecks).
  void keep(const Graph& graph, ValueId value, int64_t images);

 private:
  Evidence run(const Graph& graph, std::span<const EvidenceRequest> requests) const;

  Measure measure_;
  ValueId kept_ = kNoValue;
  std::vector<Tensor> batches_;
};

// By node: the value that all nodes behind it are functions of; kNoValue where it takes several.
// Constants apart.
std::vector<ValueId> bottlenecks(const Graph& graph);

}  // namespace coppice
