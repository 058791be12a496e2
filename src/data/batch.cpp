// See batch.h.
#include "data/batch.h"

#include <algorithm>

#include "core/error.h"
#include "core/threads.h"

namespace coppice {
namespace {

// Threads are started anew for every batch, about 20 us each: a thread gets at least this many
// values (21 CIFAR images, less than one of ImageNet's) to be worth it.
constexpr int64_t kValuesPerThread = 65536;

}  // namespace

void load_batch(const Dataset& dataset, const Preprocessing& preprocessing,
                std::span<const int64_t> indices, Tensor& images, std::span<int64_t> labels) {
  const int64_t count = static_cast<int64_t>(indices.size());
  COPPICE_CHECK(
      images.rank() >= 1 && images.shape()[0] == count,
      "images " + to_string(images.shape()) + " for " + std::to_string(count) + " indices");
  COPPICE_CHECK(labels.empty() || labels.size() == indices.size(), "labels differ from indices");
  if (count == 0) return;
  const Shape input(images.shape().begin() + 1, images.shape().end());
  const int64_t values_each = element_count(input);
  const std::span<float> values = images.mutate<float>();
  const int64_t grain = kValuesPerThread / std::max<int64_t>(values_each, 1);
  parallel_for(count, std::max<int64_t>(grain, 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      within("sample " + std::to_string(indices[i]) + " of '" + dataset.name() + "'", [&] {
        const Sample sample = dataset.read(indices[i]);
        preprocess(sample.pixels, preprocessing, input,
                   values.subspan(i * values_each, values_each));
        if (!labels.empty()) labels[i] = sample.label;
      });
    }
  });
}

}  // namespace coppice
