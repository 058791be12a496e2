// How far a loop has come, on standard error: nothing for the first two seconds; then on a terminal
// a bar that is redrawn and wiped at the end, elsewhere a line every ten seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/console.h"
#include "tasks/parts/watcher.h"

namespace coppice {

class ProgressBar {
 public:
  // What `first` has done already says nothing about the speed of this run.
  ProgressBar(const Console& console, const Progress& first);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  bool is_of(const Progress& progress) const;  // the same loop
  void update(const Progress& progress);

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(const Progress& progress, double seconds) const;

  const Console& console_;
  std::string doing_;
  int64_t total_, already_;
  Clock::time_point start_ = Clock::now();
  double next_s_ = 2;
  bool drawn_ = false;
};

}  // namespace coppice
