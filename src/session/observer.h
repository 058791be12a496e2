// Who watches a session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "session/state/state.h"

namespace coppice {

struct StepRecord {
  const std::string& stage;
  int64_t epoch, epochs;   // from 1
  int64_t batch, batches;  // of this epoch, done
  double loss;             // mean of the epoch so far
  std::optional<double> top1;
  double images_per_second, seconds_left;
};

// Every function may be left as it is.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void step(const StepRecord&) {}
  virtual void epoch(const EpochRecord&) {}
  virtual void stage(const StageRecord&) {}   // it is over, and saved
  virtual void remark(const std::string&) {}  // what is good to know of the training, said once
  virtual bool stop_requested() { return false; }  // then the session saves and throws
};

}  // namespace coppice
