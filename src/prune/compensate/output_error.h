// How far a net's outputs are from its original's on the same images: what recovering is judged by,
// without labels.
#pragma once

#include <vector>

#include "evidence/evidence.h"
#include "graph/graph.h"

namespace coppice {

// What the first output says: scores of classes, or numbers as they are.
enum class Outputs { numbers, classes };

class OutputError {
 public:
  // Measures the original's outputs, once. Throws what `measure` throws.
  OutputError(const Graph& original, const Measure& measure, Outputs outputs);

  // Whether there are outputs that can be compared: float32, of rank 2 or more.
  bool known() const { return !requests_.empty(); }
  // Of `now`, whose outputs have the original's shapes. Classes: the mean over images of the
  // Kullback-Leibler divergence of its distribution from the original's, by the softmax of the
  // first output or by the output of a Softmax itself. Numbers: squared differences by the squares
  // of the original about its means, the mean over the outputs, each at some of its positions.
  double of(const Graph& now) const;

 private:
  Measure measure_;
  Outputs outputs_;
  bool softmax_ = false;  // the first output is one already
  std::vector<EvidenceRequest> requests_;
  Evidence original_;
};

}  // namespace coppice
