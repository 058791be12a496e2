// How a session looks into a graph with gradients. The trainer holds what was looked at last; a
// training loads its own graph again.
#include "core/error.h"
#include "core/random.h"
#include "data/for_each_batch.h"
#include "evidence/batches.h"
#include "evidence/measure.h"
#include "session/session.h"

namespace coppice {
namespace {

// "draw", "look": no other stream of the seed is like them.
constexpr uint64_t kDrawStream = 0x64726177, kLookStream = 0x6c6f6f6b;

int64_t batch_for(const Graph& graph, const Collection& how) {
  const int64_t fixed = fixed_batch(graph);
  return fixed > 0 ? fixed : how.batch;
}

}  // namespace

std::vector<int64_t> Session::drawn(const Graph& graph, const Collection& how) const {
  COPPICE_CHECK(how.batches > 0 && how.batch > 0, "evidence of no images");
  const std::vector<int64_t>& from = images(how.part);
  const int64_t count = std::ssize(from), batch = batch_for(graph, how);
  const int64_t batches = std::min(how.batches, count / batch);
  if (batches < 1) {
    fail_input("the part '" + std::string(name_of(how.part)) + "' of data set '" +
               data_.training->name() + "' has " + std::to_string(count) +
               " images, evidence needs a batch of " + std::to_string(batch));
  }
  const auto order = Random::stream(how.seed, {kDrawStream}).permutation(count);
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < batches * batch; ++i) indices.push_back(from[order[i]]);
  return indices;
}

Evidence Session::collect(const Graph& graph, std::span<const EvidenceRequest> requests,
                          const Collection& how) {
  if (requests.empty()) return {};
  require_labels(how.loss);
  const BatchJob job{drawn(graph, how), batch_for(graph, how), job_for(graph, how.part).input,
                     data_.preprocessing};
  TrainingSetup setup;
  setup.loss = how.loss;
  setup.losses = how.losses;
  setup.classes = objective().classes;
  setup.labels = objective().labels;
  setup.scores = objective().scores;
  if (needs_teacher(objective(), how.loss)) setup.teacher = &teacher();
  loaded_ = false;
  trainer_.load(graph, setup, {});
  EvidenceOfBatches batches;
  uint64_t number = 0;
  for_each_batch(*data_.training, job, [&](const Batch& batch) {
    Random random = Random::stream(how.seed, {kLookStream, number++});
    batches.add(trainer_.collect(batch.images, batch.labels, requests,
                                 {.mode = how.mode, .seed = random.next(), .numbers = how.numbers}),
                batch.images.shape()[0]);
  });
  return batches.finish();
}

Measure Session::measuring(Collection how) {
  return
      [this, how = std::move(how)](const Graph& graph, std::span<const EvidenceRequest> requests) {
        std::vector<EvidenceRequest> with, without;
        for (const EvidenceRequest& request : requests) {
          (needs_gradients(request.reduction) ? with : without).push_back(request);
        }
        Evidence evidence = collect(graph, with, how);
        evidence.add(measure(graph, without, *data_.training,
                             {.indices = drawn(graph, how), .preprocessing = data_.preprocessing}));
        return evidence;
      };
}

}  // namespace coppice
