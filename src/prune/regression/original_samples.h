// What the original answers at the sampled points, of as many layers at a time as may be held. The
// header needs Eigen, so only prune includes it.
#pragma once

#include <vector>

#include "prune/regression/layer_work.h"

namespace coppice {

struct WantedSamples {
  const Tensor* outputs = nullptr;  // [N, filters]: of the layer
  const Tensor* other = nullptr;    // [N, filters]: of the other side of the sum behind; or null
};

class OriginalSamples {
 public:
  // Requires: all of them live as long.
  OriginalSamples(const Graph& original, const Groups& groups, const std::vector<LayerWork>& works,
                  const Measure& measure)
      : original_(original), groups_(groups), works_(works), measure_(measure) {}

  // Of work `w`; good until the next call. Throws what `measure` throws, and at the first call
  // Error::input naming the layer where one has more unknowns than there are samples.
  WantedSamples of(size_t w);

 private:
  void gather(size_t first);
  void require_enough() const;

  const Graph& original_;
  const Groups& groups_;
  const std::vector<LayerWork>& works_;
  const Measure& measure_;
  Evidence evidence_;
  int64_t images_ = 0;  // that are measured on, once that is known
};

}  // namespace coppice
