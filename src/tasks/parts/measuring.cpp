// See measuring.h.
#include "tasks/parts/measuring.h"

#include <algorithm>
#include <numeric>

#include "evidence/measure.h"
#include "model/load.h"
#include "session/queries/measuring.h"
#include "tasks/parts/evaluate.h"
#include "training/judging/evaluation.h"

namespace coppice {
namespace {

constexpr int64_t kJudging = 5;  // every fifth image

std::vector<int64_t> share_of(const std::vector<int64_t>& images, Measuring::Share share) {
  if (share == Measuring::Share::all) return images;
  std::vector<int64_t> some;
  for (size_t i = 0; i < images.size(); ++i) {
    const bool judges = i % kJudging == kJudging - 1;
    if (judges == (share == Measuring::Share::judging)) some.push_back(images[i]);
  }
  return some;
}

}  // namespace

struct Measuring::State {
  std::unique_ptr<Dataset> dataset;
  int64_t wanted;
  Preprocessing preprocessing;
  Watcher& watcher;
  ImagesToMeasure images = {};
  bool quiet = false;
};

Measuring::Measuring(Judge& judge, int64_t images, Watcher& watcher)
    : state_(new State{judge.data().open(Split::train), images, judge.preprocessing(), watcher}) {
  std::vector<int64_t> all(static_cast<size_t>(state_->dataset->size()));
  std::iota(all.begin(), all.end(), 0);
  // Where nothing else judges, the rest does, if the model is one that labels judge.
  const bool rest = judge.dataset().split() != Split::test && judge.judges();
  state_->images = images_to_measure(all, images, rest ? Rest::judging : Rest::nothing);
  if (rest) judge.hold_out(state_->images.rest);
}

void Measuring::only(const std::vector<int64_t>& training) {
  state_->images = images_to_measure(training, state_->wanted, Rest::nothing);
}

int64_t Measuring::count(int64_t images) const {
  return std::min<int64_t>(images, std::ssize(state_->images.measured));
}

void Measuring::warn_at_chance(const Judge& judge, const Graph& graph,
                               const std::string& name) const {
  constexpr int64_t kEnough = 200;
  if (!judge.judges() || is_zoo_name(name)) return;
  std::vector<Guess> guesses;
  evaluate(graph, *state_->dataset, state_->preprocessing,
           {.indices = images_to_measure(state_->images.measured, kEnough, Rest::nothing).measured,
            .guesses = &guesses,
            .doing = "judging the original",
            .metrics = Metrics::none},
           state_->watcher);
  const auto why =
      judge.why_little(guesses, scores_of(graph), "training images", state_->dataset.get());
  if (why) state_->watcher.warn(*why);
}

void Measuring::stay_quiet() const { state_->quiet = true; }

Measure Measuring::on(int64_t images, Share share) const {
  if (images == 0 || (share == Share::judging && count(images) < kJudging)) return {};
  return [state = state_, images, share](const Graph& graph,
                                         std::span<const EvidenceRequest> requests) {
    const std::vector<int64_t> indices =
        share_of(images_to_measure(state->images.measured, images, Rest::nothing).measured, share);
    Progress progress{.doing = "measuring", .unit = "images", .total = std::ssize(indices)};
    if (!state->quiet) state->watcher.progress(progress);
    return coppice::measure(graph, requests, *state->dataset,
                            {.indices = indices,
                             .preprocessing = state->preprocessing,
                             .after_batch = [&](int64_t done) {
                               stop_if_requested(state->watcher);
                               progress.done = done;
                               if (!state->quiet) state->watcher.progress(progress);
                             }});
  };
}

}  // namespace coppice
