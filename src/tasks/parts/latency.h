// Latency measured in turns, watched, and as JSON.
#pragma once

#include <span>
#include <vector>

#include "runtime/latency.h"
#include "tasks/parts/watcher.h"

namespace coppice {

// One latency a model, in order. Throws Error::interrupted where the watcher asks for it.
std::vector<Latency> measure_latencies(std::span<Executable> models, uint64_t seed,
                                       Watcher& watcher);

// Throws Error::target where weights are stored as integers: a deployed runtime computes with
// those, Coppice's in float32, in several times the memory.
void require_floats(const Graph& graph);

// How commands compile what they run for speed: layers with many zeros by the loops that are
// fastest here, and what was found out about them kept in the user's cache folder.
Target timed_target(Target::Profile profile = Target::Profile::off);

Json waited_json(const Latency& latency);  // null with several threads
// {"latency_ms": the median, "latency_min_ms", "latency_spread", "latency_waited",
// "latency_threads", "latency_steady"}
Json latency_json(const Latency& latency);

}  // namespace coppice
