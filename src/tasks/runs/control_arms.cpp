// See control_arms.h.
#include "tasks/runs/control_arms.h"

#include "core/error.h"
#include "model/load.h"
#include "tasks/parts/training.h"
#include "tasks/runs/prune_kept.h"
#include "tasks/runs/run_watcher.h"

namespace coppice {

ControlArms::ControlArms(const PruneRequest& request, const std::string& sha256)
    : told_(request.controls), resume_(request.resume), seed_(request.common.seed) {
  if (!told_.has(kControl)) return;
  for (const std::string& name : told_[kControl]) {
    Request more = {{"--method", request.method}, {"control", name}};
    for (auto& [option, value] : told_.decisive()) {
      if (option != kControl.flag()) more.emplace_back(option, value);
    }
    Arm arm{name,
            {request.common.run_folder / "controls" / name,
             request_of("control", sha256, request.settings, seed_, more)}};
    if (resume_) {
      arm.kept.require_same_request();
    } else if (arm.kept.has_checkpoint()) {
      fail_usage("'" + arm.kept.run_folder().string() +
                 "' holds an unfinished control; add --resume to go on with it, or delete the "
                 "folder");
    }
    arms_.push_back(std::move(arm));
  }
}

std::vector<RunRow> ControlArms::run(const Rival& rival, Watcher& watcher) const {
  std::vector<RunRow> rows;
  for (const Arm& arm : arms_) {
    stop_if_requested(watcher);
    const int64_t number = std::ssize(rows) + 1;
    RunWatcher watching(arm.name, number, std::ssize(arms_), watcher);
    watcher.remark("control " + std::to_string(number) + " of " + std::to_string(arms_.size()) +
                   ": " + arm.name);
    RunRow row{.name = arm.name};
    try {
      Json figures = {{"seed", seed_}, {"folder", arm.kept.folder()}};
      figures.update(figures_of_pruning(report_of(arm, rival, watching)));
      row.runs.push_back(std::move(figures));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      watcher.warn(arm.name + ": " + error.what());
      row.why_not = error.what();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json ControlArms::report_of(const Arm& arm, const Rival& rival, Watcher& watcher) const {
  const KeptRun& kept = arm.kept;
  if (resume_) {
    if (const auto report = kept.report()) {
      watcher.remark("done before");
      return *report;
    }
  }
  PruneRequest request = control_of(arm.name, rival, told_);
  const bool untrained = is_zoo_name(request.model) || request.settings[kFromScratch];
  if (arm.name == kRandomControl && untrained) {
    watcher.warn(
        "the model is untrained, so there are no weights of its to keep: this is a "
        "structure from scratch");
  }
  return prune_kept(kept, std::move(request), watcher);
}

}  // namespace coppice
