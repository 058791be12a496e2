// See latency.h.
#include "cli/latency.h"

#include <algorithm>
#include <memory>

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "report/format.h"

namespace coppice {
namespace {

constexpr int kMostRuns = 500;
constexpr char kTooNoisy[] = "too noisy to tell";

}  // namespace

std::vector<Latency> measure_latencies(std::span<Executable> models, uint64_t seed,
                                       const Console& console) {
  std::unique_ptr<Progress> progress;
  LatencyOptions options{.max_runs = kMostRuns, .seed = seed};
  options.before_run = [&](int done, int runs) {
    stop_if_interrupted();
    if (done > 0 && !progress) {
      progress = std::make_unique<Progress>(console, "measuring latency", "runs", runs);
    }
    if (progress) progress->update(done);
  };
  return measure_in_turns(models, options);
}

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

Json waited_json(const Latency& latency) { return latency.waited ? Json(*latency.waited) : Json(); }

Json latency_json(const Latency& latency) {
  return {{"latency_ms", latency.median_ms},    {"latency_min_ms", latency.min_ms},
          {"latency_spread", latency.spread},   {"latency_waited", waited_json(latency)},
          {"latency_threads", latency.threads}, {"latency_steady", steady(latency)}};
}

}  // namespace coppice
