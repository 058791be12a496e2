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
  // So many training images of the judge's data set, preprocessed as for judging. Where that has
  // no test part, the rest of them judges from now on.
  Measuring(Judge& judge, int64_t images, Watcher& watcher);

  // Some of these training images instead: those that a training learns from.
  void only(const std::vector<int64_t>& training);
  int64_t images() const;  // that are measured on

  // Requires: the watcher lives as long.
  Measure measure() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coppice
