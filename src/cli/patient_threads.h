// OpenMP's threads wait for each other by spinning. While a training shares its cores with anything
// else, that makes it up to twenty times slower (measured: docs/benchmarks.md); sleeping costs a
// few per cent on a quiet machine.
#pragma once

#include <string>
#include <vector>

namespace coppice {

// Starts the program again, in this process, with threads that sleep: the OpenMP library reads how
// to wait when it is loaded, which is before main. Does nothing where the environment says how to
// wait, so also the second time.
void restart_with_patient_threads(const std::vector<std::string>& arguments);

}  // namespace coppice
