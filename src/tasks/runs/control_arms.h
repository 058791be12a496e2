// The controls of one pruning, run after it is written, each in a folder of its own within the run
// folder: controls/NAME with its model, plan, report.json and, until it is done, its checkpoint.
#pragma once

#include <string>
#include <vector>

#include "tasks/runs/controls.h"
#include "tasks/runs/figures.h"
#include "tasks/runs/kept_run.h"

namespace coppice {

class ControlArms {
 public:
  // `request`: of the pruning, with settled settings, its controls and its run folder. Throws
  // Error::usage where a folder holds an unfinished control that isn't to be gone on with, or,
  // where it is, a control of another request.
  ControlArms(const PruneRequest& request, const std::string& sha256);

  bool none() const { return arms_.empty(); }
  // A row for each. Those that are done aren't run again where the pruning was gone on with; one
  // that can't work says why in its row. Throws Error::interrupted.
  std::vector<RunRow> run(const Rival& rival, Watcher& watcher) const;

 private:
  struct Arm {
    std::string name;
    KeptRun kept;
  };
  Json report_of(const Arm& arm, const Rival& rival, Watcher& watcher) const;

  Settings told_;
  bool resume_;
  uint64_t seed_;
  std::vector<Arm> arms_;
};

}  // namespace coppice
