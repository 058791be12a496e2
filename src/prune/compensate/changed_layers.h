// Which layers give something else once channels have left, in the graph's order, and what can be
// done about it. The header needs Eigen, so only prune includes it.
#pragma once

#include <vector>

#include "prune/compensate/places.h"

namespace coppice {

struct ChangedLayer {
  ValueId output = kNoValue;
  ValueId weight = kNoValue;
  ValueId vector = kNoValue;  // that takes a constant
  double factor = 1;          // vector += factor * constant
  ValueId behind =
      kNoValue;             // output of the BatchNormalization, or of the Add of a bias, behind it
  bool batch_norm = false;  // that is what is behind it
  // Where it is the last of a branch: the sum, and what is added there. Else no values.
  ValueId sum = kNoValue, other = kNoValue;
  int64_t axis = 1;                     // of the filters
  int64_t features = 0, positions = 0;  // that a filter reads; of an image
};

struct ChangedLayers {
  std::vector<ChangedLayer> layers;
  // BatchNormalization that reads what has changed, with numbers of its own: by its output.
  std::vector<ValueId> batch_norms;
  int64_t unknown = 0;  // layers besides, for which there is no place to correct
};

// Conv, Gemm and MatMul that lose inputs, or read what others have changed; those without a bias
// get one, zero, that joins `groups`. `groups`: found on the graph as it is now.
ChangedLayers changed_layers(Graph& graph, Groups& groups, const Removal& removal);

}  // namespace coppice
