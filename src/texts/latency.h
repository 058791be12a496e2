// Latency for people, with what it is worth.
#pragma once

#include <span>
#include <string>

#include "prune/latency/latency_meter.h"
#include "runtime/latency.h"

namespace coppice {

// "1.97x", or "too noisy to tell" where one of them isn't steady.
std::string speedup_text(const Latency& before, const Latency& after);
// Why nothing can be told, and what to do: a line; empty where all are steady.
std::string noise_line(std::span<const Latency> latencies);
// What became of a budget of latency, and why it was missed where it was: a line.
std::string latency_budget_line(const LatencyMeter::Found& found);
// How the two were measured, and the noise line where there is one.
std::string latency_lines(const Latency& before, const Latency& after);

}  // namespace coppice
