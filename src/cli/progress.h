// How far a loop has come, on standard error: nothing for the first two seconds; then on a terminal
// a bar that is redrawn and wiped at the end, elsewhere a line every ten seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/console.h"

namespace coppice {

class Progress {
 public:
  // `already`: what an earlier run did of it, which says nothing about the speed of this one.
  Progress(const Console& console, std::string doing, std::string unit, int64_t total,
           int64_t already = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `note`: what else is worth knowing by now.
  void update(int64_t done, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(int64_t done, double seconds, const std::string& note) const;

  const Console& console_;
  std::string doing_, unit_;
  int64_t total_, already_;
  Clock::time_point start_ = Clock::now();
  double next_s_ = 2;
  bool drawn_ = false;
};

}  // namespace coppice
