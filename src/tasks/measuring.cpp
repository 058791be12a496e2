// See measuring.h.
#include "tasks/measuring.h"

#include <numeric>

#include "evidence/measure.h"
#include "session/measuring.h"

namespace coppice {

struct Measuring::State {
  std::unique_ptr<Dataset> dataset;
  int64_t wanted;
  Preprocessing preprocessing;
  Watcher& watcher;
  PicturesToMeasure pictures = {};
};

Measuring::Measuring(Judge& judge, int64_t pictures, Watcher& watcher)
    : state_(new State{judge.data().open(Split::train), pictures, judge.preprocessing(), watcher}) {
  std::vector<int64_t> all(static_cast<size_t>(state_->dataset->size()));
  std::iota(all.begin(), all.end(), 0);
  const bool has_test = judge.dataset().split() == Split::test;
  state_->pictures = pictures_to_measure(all, pictures, has_test ? Rest::nothing : Rest::judging);
  if (!has_test) judge.hold_out(state_->pictures.rest);
}

void Measuring::only(const std::vector<int64_t>& training) {
  state_->pictures = pictures_to_measure(training, state_->wanted, Rest::nothing);
}

int64_t Measuring::pictures() const { return std::ssize(state_->pictures.measured); }

Measure Measuring::measure() const {
  return [state = state_](const Graph& graph, std::span<const EvidenceRequest> requests) {
    const std::vector<int64_t>& indices = state->pictures.measured;
    Progress progress{.doing = "measuring", .unit = "images", .total = std::ssize(indices)};
    state->watcher.progress(progress);
    return coppice::measure(graph, requests, *state->dataset,
                            {.indices = indices,
                             .preprocessing = state->preprocessing,
                             .after_batch = [&](int64_t pictures) {
                               stop_if_requested(state->watcher);
                               progress.done = pictures;
                               state->watcher.progress(progress);
                             }});
  };
}

}  // namespace coppice
