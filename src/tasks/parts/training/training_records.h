// What a training tells while it goes on and at its end: progress, metrics, remarks, and its record
// as JSON.
#pragma once

#include <optional>
#include <vector>

#include "session/session.h"
#include "tasks/parts/watcher.h"

namespace coppice {

class TrainingObserver : public Observer {
 public:
  explicit TrainingObserver(Watcher& watcher) : watcher_(watcher) {}

  void step(const StepRecord& record) override;
  void epoch(const EpochRecord& record) override;
  void stage(const StageRecord& record) override;
  void remark(const std::string& text) override;
  bool stop_requested() override { return watcher_.stop_requested(); }
  const Json& remarks() const { return remarks_; }

 private:
  Watcher& watcher_;
  Json remarks_ = Json::array();
  bool begun_ = false;  // a stage's progress
};

// Of what was done before, in the order in which it was.
std::vector<Json> metrics_of(const SessionState& saved);

// The share that the model as it now is got right of the images held out; nothing where none
// were, or where it was changed since.
std::optional<double> last_held_out_top1(const Session& session);

// All of TrainingRun::to_json but the remarks.
Json training_json(const Session& session, const Recipe& recipe);

}  // namespace coppice
