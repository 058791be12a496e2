// Splitting loops over the cores. Work is divided by index, never by who comes first, so results do
// not depend on the number of threads.
#pragma once

#include <cstdint>
#include <functional>

namespace coppice {

// Cores this process may use.
int available_cores();

// How many threads Coppice uses: set once by the command (--threads), all cores by default.
void set_thread_count(int threads);
int thread_count();

// Calls body(begin, end) on disjoint ranges that cover [0, count), on up to thread_count() threads;
// returns when all are done and rethrows the first exception in index order. Ranges have at least
// `grain` items.
void parallel_for(int64_t count, int64_t grain,
                  const std::function<void(int64_t begin, int64_t end)>& body);

}  // namespace coppice
