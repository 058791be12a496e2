// coppice bench: how long one run takes on this machine, and where the time goes.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/interrupt.h"
#include "cli/latency.h"
#include "cli/model.h"
#include "core/error.h"
#include "graph/infer.h"
#include "report/format.h"
#include "report/run_folder.h"
#include "report/table.h"

namespace coppice {
namespace {

constexpr Table::Align kRight = Table::Align::right;
constexpr int kProfiledRuns = 20;

struct Options {
  std::string model;
  int64_t batch = 1;
  bool layers = false;
};

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
std::vector<LayerTime> time_layers(Graph graph, const InputSizes& sizes, uint64_t seed) {
  Executable executable = compile(std::move(graph), sizes, {.profile = Target::Profile::on});
  const std::vector<Tensor> inputs = random_inputs(executable, seed);
  std::vector<Tensor> outputs = executable.allocate_outputs();
  executable.run(inputs, outputs);
  std::vector<LayerTime> layers = executable.layer_times();
  std::vector<std::vector<double>> times(layers.size());
  for (int run = 0; run < kProfiledRuns; ++run) {
    stop_if_interrupted();
    executable.run(inputs, outputs);
    for (size_t i = 0; i < layers.size(); ++i) times[i].push_back(executable.layer_times()[i].ms);
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    std::ranges::nth_element(times[i], times[i].begin() + kProfiledRuns / 2);
    layers[i].ms = times[i][kProfiledRuns / 2];
  }
  return layers;
}

Json print_layers(const Console& console, const std::vector<LayerTime>& layers) {
  double total = 0;
  for (const LayerTime& layer : layers) total += layer.ms;
  Table table({{"layer"}, {"kind"}, {"time", kRight}, {"share", kRight}});
  Json json = Json::array();
  for (const LayerTime& layer : layers) {
    table.add({layer.name, layer.kind, milliseconds(layer.ms),
               percentage(total > 0 ? layer.ms / total : 0)});
    json.push_back({{"name", layer.name}, {"kind", layer.kind}, {"ms", layer.ms}});
  }
  console.print(table.text() + "\n");
  return json;
}

Result bench(const Options& options, const Invocation& run) {
  Model model = load_model(options.model, run.options.seed);
  require_batch(model.graph, options.batch);
  const InputSizes sizes{.inputs = {}, .batch = options.batch};
  const std::string shapes = describe_inputs(model.graph, sizes);
  Json layers = Json::array();
  if (options.layers) {
    layers = print_layers(run.console, time_layers(model.graph, sizes, run.options.seed));
  }
  Executable executable = compile(std::move(model.graph), sizes);
  const Latency latency =
      measure_latencies(std::span(&executable, 1), run.options.seed, run.console).front();
  const int64_t batch = executable.input_shape(0).empty() ? 1 : executable.input_shape(0)[0];
  Table table({{"fastest", kRight},
               {"median", kRight},
               {"95 %", kRight},
               {"spread", kRight},
               {"runs", kRight},
               {"threads", kRight},
               {"input"}});
  table.add({milliseconds(latency.min_ms), milliseconds(latency.median_ms),
             milliseconds(latency.p95_ms), percentage(latency.spread),
             with_separators(latency.runs), std::to_string(latency.threads), shapes});
  run.console.print(table.text() + noise_line(std::span(&latency, 1)));
  return {
      .json = {{"model", options.model},
               {"latency_ms",
                {{"min", latency.min_ms}, {"median", latency.median_ms}, {"p95", latency.p95_ms}}},
               {"spread", latency.spread},
               {"waited", waited_json(latency)},
               {"steady", steady(latency)},
               {"runs", latency.runs},
               {"threads", latency.threads},
               {"batch", batch},
               {"inputs", shapes},
               {"cpu", cpu_name()},
               {"layers", layers}}};
}

}  // namespace

Action define_bench(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_count(app, "--batch", options->batch, kMostBatch, "pictures at once (default 1)");
  app.add_flag("--layers", options->layers, "the time of every layer, too");
  add_common_options(app, common);
  return [options](Invocation& run) { return bench(*options, run); };
}

}  // namespace coppice
