// Collects what requests ask for while a net runs: compile with its observation, run as often as
// there are images, and finish. What a value gives is taken right behind the kernel that computed
// it, from where it lies.
#pragma once

#include <memory>

#include "evidence/evidence.h"
#include "runtime/observation.h"

namespace coppice {

class Collector {
 public:
  // Values are observed in the given graph and at whatever shapes it is compiled for; the first
  // axis counts images where a request speaks of images. Throws Error::usage, naming the value,
  // for one that the graph doesn't have, for an axis that it can't have, for patches of a value
  // that no Conv, Gemm or MatMul computes, and for what needs gradients.
  Collector(const Graph& graph, std::span<const EvidenceRequest> requests);
  ~Collector();
  Collector(Collector&&) noexcept;
  Collector& operator=(Collector&&) noexcept;

  // Requires: the collector stays where it is while what is compiled with it runs.
  Observation observation();
  // Throws Error::input, naming value and channel, where what was asked for isn't finite, and for a
  // value without elements.
  Evidence finish() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coppice
