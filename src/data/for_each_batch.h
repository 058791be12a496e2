// Images of a data set once, in order and as they are: the next batch is read, decoded and
// preprocessed while the current one is used.
#pragma once

#include <functional>
#include <vector>

#include "data/loader.h"

namespace coppice {

struct BatchJob {
  std::vector<int64_t> indices;  // which images
  int64_t batch = 100;           // the last one may be smaller
  Shape input;                   // of the model, without the batch axis
  Preprocessing preprocessing;
};

// Throws what load_batch and `use` throw.
void for_each_batch(const Dataset& dataset, const BatchJob& job,
                    const std::function<void(const Batch& batch)>& use);

}  // namespace coppice
