// What there is to do where channels leave: which layers are looked at, in which order, and what is
// asked of each. The header needs Eigen, so only prune includes it.
#pragma once

#include <vector>

#include "prune/compensate/places.h"
#include "prune/regression/regress_layers.h"

namespace coppice {

struct LayerWork {
  int32_t node = 0;
  Contraction layer;
  ValueId vector = kNoValue;  // constant += factor * mean goes there (Place); none yet: kNoValue
  double factor = 1;
  int32_t normalised_by = -1;  // the BatchNormalization behind it, if it is the only reader
  ValueId output = kNoValue;   // of the layer
  ValueId other =
      kNoValue;  // what is added to its (normalised) output; kNoValue: nothing that is done
  std::vector<size_t> decides = {};  // groups whose units are chosen here
  bool loses = false;                // some of its inputs leave, here or before
  int64_t unknowns = 0;              // weights of an output once they have left, and its bias
  EvidenceRequest patches = {}, samples = {},
                  other_samples = {};  // by the names that both nets have
};

// In the graph's order. Requires: groups that lose units have readers.
std::vector<LayerWork> layer_works(const Graph& graph, const Groups& groups, const Widths& widths,
                                   const RegressionOptions& options);

// The requests for a layer's outputs at sampled points and for what it reads there.
void ask(LayerWork& work, const Graph& graph, const Groups& groups,
         const RegressionOptions& options, uint64_t number);

// How many samples of an image `request` gives of a value of that shape.
int64_t points_of(const EvidenceRequest& request, const Shape& shape);

// Samples that are asked for together, and the values that must be computed for them.
struct Asked {
  std::vector<EvidenceRequest> requests;
  std::vector<ValueId> values;

  // `own`: the work's patches or samples; and what is added to its output.
  void add(const LayerWork& work, const EvidenceRequest& own);
  Evidence measured(const Graph& graph, const Measure& measure) const;
};

}  // namespace coppice
