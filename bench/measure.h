// What benchmarks share: medians, a stopwatch, and the seconds that a peer's command prints.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

namespace coppice {

// Requires: `values` isn't empty.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Milliseconds since it was made or last asked.
class Stopwatch {
 public:
  double lap_ms() {
    const auto now = std::chrono::steady_clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - start_).count();
    start_ = now;
    return ms;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The same of the processor time that the process had: what other work on the machine leaves alone.
class CpuStopwatch {
 public:
  double lap_ms() {
    const double ms = now_ms() - start_;
    start_ += ms;
    return ms;
  }

 private:
  static double now_ms() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
  }
  double start_ = now_ms();
};

// main of a benchmark: `run` by what `parse` makes of the command line; what is thrown is printed.
template <typename Parse, typename Run>
int run_bench(int argc, char** argv, Parse parse, Run run) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

// The last number that the command prints; negative where it fails.
inline double run_peer(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return -1;
  std::string text;
  char chunk[256];
  while (std::fgets(chunk, sizeof(chunk), pipe)) text += chunk;
  if (::pclose(pipe) != 0) return -1;
  std::istringstream words(text);
  double last = -1;
  for (std::string word; words >> word;) {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (*end == '\0') last = value;
  }
  return last;
}

}  // namespace coppice
