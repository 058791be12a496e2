// Evidence as the tasks measure it: on which images, watched.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "evidence/requests.h"
#include "tasks/parts/judge.h"

namespace coppice {

class Measuring {
 public:
  // So many training images of the judge's data set at most, preprocessed as for judging. Where
  // that has no test part, the rest of them judges from now on.
  Measuring(Judge& judge, int64_t images, Watcher& watcher);

  // Some of these training images instead: those that a training learns from.
  void only(const std::vector<int64_t>& training);

  // What of the images is asked for: every fifth judges what is fitted to the others.
  enum class Share { all, fitted, judging };

  // Null for none. Requires: at most as many as it was made for; the watcher lives as long.
  Measure on(int64_t images, Share share = Share::all) const;
  int64_t count(int64_t images) const;  // how many `on` measures on
  // Warns where the model that is looked at gets next to nothing of some of the images right: what
  // it answers to images that are shown wrongly is worth nothing, and takes minutes to measure.
  // `name`: of the model; untrained ones of the zoo know nothing.
  void warn_at_chance(const Judge& judge, const Graph& graph, const std::string& name) const;
  // From now on whoever measures says how far it is; a request to stop still ends it.
  void stay_quiet() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coppice
