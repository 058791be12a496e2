// What benchmarks share: medians, a stopwatch, and the seconds that a peer's command prints.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
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
