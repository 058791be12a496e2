// See original_samples.h.
#include "prune/regression/original_samples.h"

#include "core/error.h"

namespace coppice {
namespace {

constexpr int64_t kFloats = 48 << 20;      // that are held at a time
constexpr int64_t kGuessedImages = 5'000;  // before it is known how many there are

}  // namespace

WantedSamples OriginalSamples::of(size_t w) {
  const LayerWork& work = works_[w];
  if (!evidence_.find(work.samples)) gather(w);
  return {&evidence_.at(work.samples),
          work.other == kNoValue ? nullptr : &evidence_.at(work.other_samples)};
}

void OriginalSamples::gather(size_t first) {
  Asked asked;
  const int64_t images = images_ == 0 ? kGuessedImages : images_;
  int64_t floats = 0;
  for (size_t w = first; w < works_.size(); ++w) {
    const LayerWork& work = works_[w];
    const int64_t sides = work.other == kNoValue ? 1 : 2;
    floats += sides * images * work.samples.points * work.layer.filters;
    if (w > first && floats > kFloats) break;
    asked.add(work, work.samples);
  }
  evidence_ = {};  // before the next ones come
  evidence_ = asked.measured(original_, measure_);
  if (images_ > 0) return;
  images_ = evidence_.at(works_[first].samples).shape()[0] / works_[first].samples.points;
  require_enough();
}

void OriginalSamples::require_enough() const {
  for (const LayerWork& work : works_) {
    const int64_t samples = images_ * work.samples.points;
    if (!work.loses || samples >= work.unknowns) continue;
    const int64_t images = (work.unknowns + work.samples.points - 1) / work.samples.points;
    fail_input(where(original_, original_.nodes[work.node]) + ": " + std::to_string(samples) +
                   " samples (" + std::to_string(images_) + " images of " +
                   std::to_string(work.samples.points) +
                   (work.samples.points == 1 ? " point" : " points") + ") for " +
                   std::to_string(work.unknowns) +
                   " unknowns of each output, expected at least as many: " +
                   std::to_string(images) + " images",
               {option_hint("images", std::to_string(images), "looks at so many")});
  }
}

}  // namespace coppice
