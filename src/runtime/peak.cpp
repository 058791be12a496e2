// See peak.h.
#include "runtime/peak.h"

#include <algorithm>
#include <chrono>

#include "runtime/sparse/tiles.h"

namespace coppice {

double peak_gflops(int threads) {
  constexpr int kTries = 7;
  constexpr int64_t kRounds = 100'000;
  const runtime::TileSet& tiles = runtime::tiles_of(runtime::available_isas().front());
  double best = 0;
  float sink = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
#pragma omp parallel for num_threads(threads) reduction(+ : sink)
    for (int t = 0; t < threads; ++t) sink += tiles.multiply(kRounds);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    const double operations = 2.0 * kRounds * runtime::kSumsAtOnce * tiles.lanes * threads;
    best = std::max(best, 1e-9 * operations / taken.count());
  }
  // Sums of positive numbers are positive, which the compiler doesn't know.
  return sink > 0 ? best : 0;
}

}  // namespace coppice
