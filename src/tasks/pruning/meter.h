// What measures latency for a pruning.
#pragma once

#include <memory>

#include "prune/latency/latency_meter.h"
#include "tasks/prune.h"

namespace coppice {

// One, unless asked: several that wait for each other time the machine's other work.
int latency_threads(const PruneRequest& request);

// Of a budget of latency, and of searches, whose candidates are compared by it; null for others.
std::shared_ptr<LatencyMeter> meter_for(const Settings& settings, const Method& method,
                                        const PruneRequest& request, Watcher& watcher);

}  // namespace coppice
