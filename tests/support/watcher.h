// Test support: a Watcher that remembers what it hears. Included only by tests.
#pragma once

#include <string>
#include <vector>

#include "tasks/parts/watcher.h"

namespace coppice {

struct HeardWatcher : Watcher {
  std::vector<std::string> remarks, warnings;
  std::vector<Progress> progresses;
  std::vector<Json> metrics;
  bool stops = false;

  void remark(const std::string& text) override { remarks.push_back(text); }
  void warn(const std::string& text) override { warnings.push_back(text); }
  void progress(const Progress& progress) override { progresses.push_back(progress); }
  void metric(const Json& metric) override { metrics.push_back(metric); }
  bool stop_requested() override { return stops; }
};

}  // namespace coppice
