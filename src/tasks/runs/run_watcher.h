// One of many runs, as who watches them all hears of it.
#pragma once

#include <string>
#include <utility>

#include "tasks/parts/watcher.h"

namespace coppice {

class RunWatcher : public Watcher {
 public:
  // `name`: "fpgm, seed 2". Requires: the watcher of all outlives it.
  RunWatcher(std::string name, int64_t run, int64_t runs, Watcher& all)
      : name_(std::move(name)), run_(run), runs_(runs), all_(all) {}

  void remark(const std::string& text) override { all_.remark(name_ + ": " + text); }
  void warn(const std::string& text) override { all_.warn(name_ + ": " + text); }
  void progress(const Progress& progress) override {
    Progress told = progress;
    told.doing = "run " + std::to_string(run_) + " of " + std::to_string(runs_) + ", " + name_ +
                 ": " + progress.doing;
    all_.progress(told);
  }
  void metric(const Json& metric) override {
    Json told = {{"run", name_}};
    told.update(metric);
    all_.metric(told);
  }
  bool stop_requested() override { return all_.stop_requested(); }

 private:
  std::string name_;
  int64_t run_, runs_;
  Watcher& all_;
};

}  // namespace coppice
