// Latency for people: measured in turns with a bar, ended by Ctrl-C between two runs, and told with
// what it is worth.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/json.h"
#include "runtime/latency.h"

namespace coppice {

// One latency a model, in order. Throws Error::interrupted on Ctrl-C.
std::vector<Latency> measure_latencies(std::span<Executable> models, uint64_t seed,
                                       const Console& console);

// "1.97x", or "too noisy to tell" where one of them isn't steady.
std::string speedup_text(const Latency& before, const Latency& after);
// Why nothing can be told, and what to do: a line; empty where all are steady.
std::string noise_line(std::span<const Latency> latencies);

// How the two were measured, and the noise line where there is one.
std::string latency_lines(const Latency& before, const Latency& after);
Json waited_json(const Latency& latency);  // null with several threads
// {"latency_ms": the median, "latency_min_ms", "latency_spread", "latency_waited",
// "latency_threads", "latency_steady"}
Json latency_json(const Latency& latency);

}  // namespace coppice
