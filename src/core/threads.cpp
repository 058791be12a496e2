#include "core/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <thread>
#include <vector>

#include "core/machine/cpu_quota.h"

namespace coppice {
namespace {

std::atomic<int> configured_threads{0};

}  // namespace

int available_cores() {
  static const int cores = [] {
    cpu_set_t set;
    const bool known = ::sched_getaffinity(0, sizeof(set), &set) == 0;
    const int all = known ? CPU_COUNT(&set) : static_cast<int>(std::thread::hardware_concurrency());
    const auto quota = cpu_quota();
    const int given = quota ? static_cast<int>(std::ceil(*quota)) : all;
    return std::max(1, std::min(all, given));
  }();
  return cores;
}

void set_thread_count(int threads) { configured_threads = threads; }

int thread_count() {
  const int threads = configured_threads;
  return threads > 0 ? threads : available_cores();
}

void parallel_for(int64_t count, int64_t grain,
                  const std::function<void(int64_t begin, int64_t end)>& body) {
  if (count <= 0) return;
  const int64_t parts = std::clamp<int64_t>(count / std::max<int64_t>(grain, 1), 1, thread_count());
  const auto bound = [&](int64_t part) { return count * part / parts; };
  if (parts == 1) return body(0, count);

  std::vector<std::exception_ptr> errors(parts);
  const auto run = [&](int64_t part) {
    try {
      body(bound(part), bound(part + 1));
    } catch (...) {
      errors[part] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (int64_t part = 1; part < parts; ++part) threads.emplace_back(run, part);
  run(0);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace coppice
