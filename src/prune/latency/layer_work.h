// How much work each node of a net is once units have left: what its time is foretold from.
#pragma once

#include <string>
#include <vector>

#include "groups/traced.h"

namespace coppice {

class LayerWork {
 public:
  // At batch 1 where the graph leaves it open. Holds on to what was traced.
  explicit LayerWork(const Traced& traced);

  // By node: its multiply-accumulates; where it has none, the elements of its first output; 0 where
  // those aren't known.
  std::vector<double> after(const Removal& removal) const;

  // The node that the runtime calls so (label_of), or the one that gives the value of that name; -1
  // where there is none.
  int node_named(const std::string& name) const;

 private:
  Traced traced_;
  std::vector<Shape> shapes_;  // by ValueId; empty where unknown
};

// The SHA-256 of what decides how long a net runs: its nodes with their shapes, not its weights.
std::string structure_hash(const Traced& traced);

}  // namespace coppice
