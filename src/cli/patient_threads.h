// OpenMP's threads wait for each other by spinning, by default for milliseconds. While a net shares
// its cores with anything else, whoever waits burns the time that the thread it waits for needs:
// ResNet-56 on two threads beside six busy processes on two cores took 1048 ms instead of 1.16
// (AVX-512 EPYC virtual machine, Linux 6.18, November 2026; bench/busy_bench.sh). There:
//
//   waiting                          quiet      busy
//   as the library does              1.16 ms    1048 ms
//   spins 1000 times, then sleeps    1.16 ms    14.0 ms
//   spins 300 times                  1.20 ms    11.0 ms   (MobileNet v2: 10 % slower when quiet)
//   sleeps at once                   2.64 ms     9.8 ms
//   sleeps, in short time slices     2.64 ms     7.9 ms
//   one thread                       2.16 ms    10.2 ms
//
// So threads spin 1000 times on a quiet machine, and sleep, in short slices, on a busy one. What
// the machine is is seen once, at the start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coppice {

// Starts the program again, in this process, with threads that wait so: the OpenMP library reads
// how to wait when it is loaded, which is before main. Does nothing where the environment says how
// to wait (OMP_WAIT_POLICY, GOMP_SPINCOUNT), so also the second time.
void restart_with_patient_threads(const std::vector<std::string>& arguments);

// Threads that want a core now besides the one that asks, from what /proc/loadavg says ("0.31 0.20
// 0.11 3/214 4711": 3 want one); 0 where that isn't understood.
int others_running(std::string_view load);

}  // namespace coppice
