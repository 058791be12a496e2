// What criteria are given to look at: training images other than those that judge, by the runtime,
// and by a trainer where gradients are asked for.
#pragma once

#include <cstdint>
#include <memory>

#include "data/dataset.h"
#include "data/parts.h"
#include "evidence/evidence.h"
#include "tasks/parts/common.h"
#include "tasks/parts/watcher.h"

namespace coppice {

struct EvidenceImages {
  const Dataset& dataset;
  Preprocessing preprocessing;
  PartShares shares;   // of those held out, which judge
  int64_t images = 0;  // how many others are looked at, if there are as many
};

// Opens the trainer when gradients are asked for first, and throws Error::usage where there is
// none; otherwise as Session::measuring and `measure` do. Requires: the data set, the original and
// the watcher live as long.
Measure evidence_from(const Graph& original, const EvidenceImages& images,
                      const CommonRequest& common, Watcher& watcher);

}  // namespace coppice
