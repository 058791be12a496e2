// The training images, epoch after epoch: shuffled, augmented, preprocessed, in batches that are
// made ahead in the background while the caller works on the one before.
//
// Order and augmentation are functions of (seed, epoch), so any place in any epoch can be started
// from: that is all a resumed run needs to know.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/tensor.h"
#include "data/dataset.h"
#include "data/images/augment.h"
#include "data/images/preprocess.h"

namespace coppice {

struct Batch {
  Tensor images;                // f32 [N, ...input]
  std::vector<int64_t> labels;  // N
};

struct LoaderOptions {
  std::vector<int64_t> indices;  // which images of the data set
  int64_t batch = 128;           // an incomplete last batch of an epoch is left out
  Shape input;                   // of the model, without the batch axis
  Preprocessing preprocessing;
  Augmentation augmentation;
  uint64_t seed = 0;
};

class Loader {
 public:
  // Keeps a reference to `dataset`. Throws Error::input where there isn't one whole batch.
  Loader(const Dataset& dataset, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  int64_t batches() const;  // of one epoch
  // The next call of `next` gives batch `batch` of `epoch`; batch batches() is the first one of the
  // next epoch.
  void start(int64_t epoch, int64_t batch);
  // The batch that is due; at the end of an epoch the first one of the next. Without `start` it
  // begins with epoch 0. Throws what load_batch throws; the call after goes on with the batch
  // after.
  Batch next();

 private:
  class State;
  std::unique_ptr<State> state_;
};

// `wanted` of 0 .. count - 1, or all where there are fewer, ascending: always the same ones, drawn
// at random, since a data set may be sorted by class, or repeat its classes in turn.
std::vector<int64_t> sample_images(int64_t count, int64_t wanted);

}  // namespace coppice
