#include "data/for_each_batch.h"

#include <algorithm>
#include <future>

#include "data/batch.h"

namespace coppice {
namespace {

Batch load(const Dataset& dataset, const BatchJob& job, int64_t first) {
  const int64_t left = std::ssize(job.indices) - first;
  const auto indices = std::span(job.indices).subspan(first, std::min(job.batch, left));
  Shape shape = job.input;
  shape.insert(shape.begin(), std::ssize(indices));
  Batch batch{Tensor::zeros(DType::f32, shape), std::vector<int64_t>(indices.size())};
  load_batch(dataset, job.preprocessing, indices, batch.images, batch.labels);
  return batch;
}

}  // namespace

void for_each_batch(const Dataset& dataset, const BatchJob& job,
                    const std::function<void(const Batch& batch)>& use) {
  const int64_t count = std::ssize(job.indices);
  const auto load_at = [&](int64_t first) {
    return std::async(std::launch::async, [&, first] { return load(dataset, job, first); });
  };
  std::future<Batch> next;
  if (count > 0) next = load_at(0);
  for (int64_t done = 0; done < count;) {
    Batch batch = next.get();
    done += std::ssize(batch.labels);
    if (done < count) next = load_at(done);
    use(batch);
  }
}

}  // namespace coppice
