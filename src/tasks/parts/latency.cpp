// See latency.h.
#include "tasks/parts/latency.h"

#include "core/error.h"
#include "core/machine/cache_folder.h"
#include "graph/views/quantised.h"

namespace coppice {
namespace {

constexpr int kMostRuns = 500;

}  // namespace

std::vector<Latency> measure_latencies(std::span<Executable> models, uint64_t seed,
                                       Watcher& watcher) {
  Progress progress{.doing = "measuring latency", .unit = "runs"};
  LatencyOptions options{.max_runs = kMostRuns, .seed = seed};
  options.before_run = [&](int done, int runs) {
    stop_if_requested(watcher);
    if (done == 0) return;
    progress.done = done;
    progress.total = runs;
    watcher.progress(progress);
  };
  std::vector<Latency> latencies = measure_in_turns(models, options);
  progress.done = progress.total;
  watcher.progress(progress);
  return latencies;
}

void require_floats(const Graph& graph) {
  for (const Quantised& quantised : quantised_constants(graph)) {
    const Value& codes = graph.value(quantised.codes);
    if (codes.constant->rank() < 2) continue;
    fail_target(
        "weights such as '" + codes.name +
        "' are stored as integers, which coppice's own runtime computes with in float32, so "
        "its times say nothing of the runtime that they are for");
  }
}

Target timed_target(Target::Profile profile) {
  Target target;
  target.profile = profile;
  target.sparsity = Target::Sparsity::timed;
  target.choices_folder = cache_folder("sparse");
  return target;
}

Json waited_json(const Latency& latency) { return latency.waited ? Json(*latency.waited) : Json(); }

Json latency_json(const Latency& latency) {
  return {{"latency_ms", latency.median_ms},    {"latency_min_ms", latency.min_ms},
          {"latency_spread", latency.spread},   {"latency_waited", waited_json(latency)},
          {"latency_threads", latency.threads}, {"latency_steady", steady(latency)}};
}

}  // namespace coppice
