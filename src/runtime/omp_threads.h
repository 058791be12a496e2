// How many threads oneDNN and our own loops use while this object lives. OpenMP keeps the number
// per calling thread, so others are not disturbed.
#pragma once

#include <omp.h>

namespace coppice::runtime {

class OmpThreads {
 public:
  explicit OmpThreads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ~OmpThreads() { omp_set_num_threads(before_); }
  OmpThreads(const OmpThreads&) = delete;
  OmpThreads& operator=(const OmpThreads&) = delete;

 private:
  int before_;
};

}  // namespace coppice::runtime
