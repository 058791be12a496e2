// See bench.h.
#include "tasks/bench.h"

#include <algorithm>

#include "core/error.h"
#include "graph/infer.h"
#include "model/load.h"
#include "report/run_folder.h"

namespace coppice {
namespace {

constexpr int kProfiledRuns = 20;

void require_batch(const Graph& graph, int64_t batch) {
  for (const ValueId id : graph.inputs) {
    const auto& declared = graph.value(id).declared;
    if (!declared || declared->empty() || !declared->front().fixed()) continue;
    if (batch == 1 || declared->front().size == batch) continue;
    fail_usage("--batch " + std::to_string(batch) + ": the batch of input '" +
               graph.value(id).name + "' is fixed at " + std::to_string(declared->front().size));
  }
}

// Medians over some runs, so that one disturbance doesn't point at the wrong layer.
std::vector<LayerTime> time_layers(Graph graph, const InputSizes& sizes, uint64_t seed,
                                   Watcher& watcher) {
  Executable executable = compile(std::move(graph), sizes, {.profile = Target::Profile::on});
  const std::vector<Tensor> inputs = random_inputs(executable, seed);
  std::vector<Tensor> outputs = executable.allocate_outputs();
  executable.run(inputs, outputs);
  std::vector<LayerTime> layers = executable.layer_times();
  std::vector<std::vector<double>> times(layers.size());
  for (int run = 0; run < kProfiledRuns; ++run) {
    stop_if_requested(watcher);
    executable.run(inputs, outputs);
    for (size_t i = 0; i < layers.size(); ++i) times[i].push_back(executable.layer_times()[i].ms);
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    std::ranges::nth_element(times[i], times[i].begin() + kProfiledRuns / 2);
    layers[i].ms = times[i][kProfiledRuns / 2];
  }
  return layers;
}

}  // namespace

BenchReport bench(const BenchRequest& request, Watcher& watcher) {
  const uint64_t seed = request.common.seed;
  Model model = load_model(request.model, seed);
  require_batch(model.graph, request.batch);
  const InputSizes sizes{.inputs = {}, .batch = request.batch};
  BenchReport report{.model = request.model,
                     .inputs = describe_inputs(model.graph, sizes),
                     .batch = 1,
                     .latency = {},
                     .layers = {}};
  if (request.layers) report.layers = time_layers(model.graph, sizes, seed, watcher);
  Executable executable = compile(std::move(model.graph), sizes);
  report.latency = measure_latencies(std::span(&executable, 1), seed, watcher).front();
  if (!executable.input_shape(0).empty()) report.batch = executable.input_shape(0)[0];
  return report;
}

Json to_json(const BenchReport& report) {
  Json layers = Json::array();
  for (const LayerTime& layer : report.layers) {
    layers.push_back({{"name", layer.name}, {"kind", layer.kind}, {"ms", layer.ms}});
  }
  const Latency& latency = report.latency;
  return {{"model", report.model},
          {"latency_ms",
           {{"min", latency.min_ms}, {"median", latency.median_ms}, {"p95", latency.p95_ms}}},
          {"spread", latency.spread},
          {"waited", waited_json(latency)},
          {"steady", steady(latency)},
          {"runs", latency.runs},
          {"threads", latency.threads},
          {"batch", report.batch},
          {"inputs", report.inputs},
          {"cpu", cpu_name()},
          {"layers", layers}};
}

}  // namespace coppice
