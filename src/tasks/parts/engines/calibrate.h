// What kinds of layers take in an engine on this machine, measured on small nets of equal layers:
// what the rates of a runtime (prune/runtimes/runtimes.h) become here.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tasks/parts/engines/engine.h"

namespace coppice {

// The runtime with the rates that were measured, in some ten seconds, of one thread. Throws as
// RunningEngine::measure does.
Runtime calibrated(const Runtime& runtime, RunningEngine& engine, uint64_t seed, Watcher& watcher);

// By name, in picoseconds for a multiply-accumulate, or for an element.
std::vector<std::pair<std::string, double>> named_rates(const Runtime::Rates& rates);

// Rates measured before on this processor, with this version of the engine; nothing where there are
// none. They are kept in the cache folder.
std::optional<Runtime> calibrated_before(const Runtime& runtime, const std::string& version);
// A cache that can't be written is none.
void keep_calibration(const Runtime& runtime, const std::string& version);

}  // namespace coppice
