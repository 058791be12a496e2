// Evidence from the images of a data set, by the runtime: no gradients, no LibTorch. Labels are
// looked at where they are asked for.
#pragma once

#include <vector>

#include "data/dataset.h"
#include "evidence/evidence.h"

namespace coppice {

struct MeasureOptions {
  std::vector<int64_t> indices = {};  // which images; at least one
  Preprocessing preprocessing = {};
  int64_t batch = 0;                                     // 0: by the size of the images
  std::function<void(int64_t images)> after_batch = {};  // how many are done; may throw to stop
};

// The same images in the same batches give the same evidence, on any number of threads as far as
// the kernels do. Throws Error::input where the graph isn't one that takes a batch of float32
// images, and where its batch is fixed at more than there are images (those of a last batch
// that isn't full aren't looked at); and what Collector and load_batch throw.
Evidence measure(const Graph& graph, std::span<const EvidenceRequest> requests,
                 const Dataset& dataset, const MeasureOptions& options);

}  // namespace coppice
