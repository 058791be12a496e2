// Evidence as the commands measure it: on which pictures, with progress, and stopped by Ctrl-C.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cli/judge.h"
#include "evidence/requests.h"

namespace coppice {

class Measuring {
 public:
  // So many training pictures of the judge's data set, preprocessed as for judging. Where that has
  // no test part, the rest of them judges from now on.
  Measuring(Judge& judge, int64_t pictures, const Invocation& run);

  // Some of these training pictures instead: those that a training learns from.
  void only(const std::vector<int64_t>& training);
  int64_t pictures() const;  // that are measured on

  // Requires: the invocation lives as long.
  Measure measure() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace coppice
