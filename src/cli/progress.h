// How far a loop has come, on standard error: nothing for the first two seconds; then on a terminal
// one line that is redrawn, fits, and is wiped at the end; elsewhere a line every ten seconds.
// Where there isn't room for all that it says, fields are left out from the right.
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
  void wipe();  // so that a line can be printed; the next update draws it again

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(const Progress& progress, double seconds, size_t width) const;

  const Console& console_;
  std::string doing_;
  int64_t total_, already_;
  Clock::time_point start_ = Clock::now();
  double next_s_ = 2;
  bool drawn_ = false;
};

}  // namespace coppice
