#include "texts/latency.h"

#include <algorithm>
#include <cmath>

#include "report/format.h"

namespace coppice {
namespace {

constexpr char kTooNoisy[] = "too noisy to tell";

}  // namespace

std::string speedup_text(const Latency& before, const Latency& after) {
  const auto factor = speedup(before, after);
  return factor ? times(*factor) : kTooNoisy;
}

std::string noise_line(std::span<const Latency> latencies) {
  if (std::ranges::all_of(latencies, steady)) return "";
  double spread = 0, waited = 0;
  for (const Latency& latency : latencies) {
    spread = std::max(spread, latency.spread);
    waited = std::max(waited, latency.waited.value_or(0));
  }
  std::string line = std::string(kTooNoisy) + ": ";
  line += spread > kMostSpread ? "runs of one model differ by " + percentage(spread)
                               : "runs waited " + percentage(waited) + " of their time for a core";
  return line + ", expected at most " + percentage(kMostSpread) +
         "; measure again when the machine is quiet\n";
}

std::string latency_lines(const Latency& before, const Latency& after) {
  const Latency latencies[] = {before, after};
  const std::string noise = noise_line(latencies);
  return "latency: " + std::to_string(before.threads) +
         (before.threads == 1 ? " thread, " : " threads, ") + with_separators(before.runs) +
         " runs of each model, in turns\n" + (noise.empty() ? "" : "latency: " + noise);
}

std::string latency_budget_line(const LatencyMeter::Found& found) {
  std::string line = "latency budget: " + percentage(found.asked) + " asked, " +
                     percentage(found.foretold) + " foretold, ";
  if (!found.measured) {
    return line +
           "not measured, as the machine is too busy to tell; prune again when it is quiet\n";
  }
  line += percentage(*found.measured) + " measured";
  if (std::abs(*found.measured - found.asked) <= LatencyMeter::kNear * found.asked) {
    return line + "\n";
  }
  return line + "; " +
         (found.tries == 1
              ? "no other cut was found"
              : "of " + with_separators(found.tries) + " cuts that were tried none comes nearer") +
         ", as " + found.why + "\n";
}

}  // namespace coppice
