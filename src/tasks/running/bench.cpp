// See bench.h.
#include "tasks/running/bench.h"

#include <algorithm>

#include "core/attempt.h"
#include "core/error.h"
#include "core/machine/cpu_name.h"
#include "core/threads.h"
#include "graph/infer.h"
#include "model/load.h"
#include "prune/runtimes/estimate.h"
#include "runtime/peak.h"
#include "tasks/parts/engines/calibrate.h"

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
  Executable executable = compile(std::move(graph), sizes, timed_target(Target::Profile::on));
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

void require_one_model_for_layers(const BenchRequest& request) {
  if (!request.layers) return;
  if (request.engine->package) {
    fail_usage(std::string("--layers is of Coppice's own runtime, found --engine ") +
               request.engine->name + "; leave one of them out");
  }
  if (request.models.size() > 1) {
    fail_usage("--layers is of one model, found " + std::to_string(request.models.size()));
  }
}

// Rows without their latencies.
std::vector<BenchRow> rows_of(const std::vector<Model>& models, const InputSizes& sizes) {
  std::vector<BenchRow> rows;
  for (const Model& model : models) {
    require_batch(model.graph, sizes.batch);
    BenchRow row{.model = model.name, .inputs = describe_inputs(model.graph, sizes)};
    const std::vector<ValueId>& inputs = model.graph.inputs;
    const Shape first = inputs.empty() ? Shape{} : input_shape(model.graph, inputs[0], sizes);
    if (!first.empty()) row.batch = first[0];
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Latency> measured_here(std::vector<Model> models, const InputSizes& sizes,
                                   uint64_t seed, Watcher& watcher) {
  std::vector<Executable> executables;
  for (Model& model : models) {
    executables.push_back(within("'" + model.name + "'", [&] {
      return compile(std::move(model.graph), sizes, timed_target());
    }));
  }
  return measure_latencies(executables, seed, watcher);
}

std::vector<Latency> measured_outside(RunningEngine& engine, std::vector<Model> models,
                                      const InputSizes& sizes, const BenchRequest& request,
                                      Watcher& watcher) {
  if (models.empty()) return {};
  std::vector<EngineModel> files;
  for (const Model& model : models) files.emplace_back(model.name, model.graph, sizes);
  models.clear();
  const int threads = static_cast<int>(std::max<int64_t>(1, request.threads));
  return engine.measure(files, threads, request.common.seed, watcher);
}

// The engine's runtime with the rates of this machine, where they are asked for or were before.
std::optional<Runtime> rates_here(RunningEngine& engine, const BenchRequest& request,
                                  Watcher& watcher) {
  const Runtime& runtime = *find_runtime(request.engine->name);
  if (!request.calibrate) return calibrated_before(runtime, engine.version());
  Runtime here = calibrated(runtime, engine, request.common.seed, watcher);
  keep_calibration(here, engine.version());
  return here;
}

void foretell(const std::vector<Model>& models, const InputSizes& sizes, const Runtime& runtime,
              std::vector<BenchRow>& rows) {
  for (size_t i = 0; i < models.size(); ++i) {
    const Graph& graph = models[i].graph;
    rows[i].foretold_ms = attempt(
        ErrorKind::input, [&] { return estimated_time(graph, infer(graph, sizes), runtime).ms; });
  }
}

void require_possible(const BenchRequest& request) {
  require_one_model_for_layers(request);
  if (request.calibrate && !request.engine->package) {
    fail_usage(
        "--calibrate is of an engine from outside; add --engine onnxruntime, or leave it out");
  }
  if (request.models.empty() && !request.calibrate) fail_usage("MODEL is missing");
}

Json to_json(const BenchRow& row) {
  const Latency& latency = row.latency;
  return {{"model", row.model},
          {"latency_ms",
           {{"min", latency.min_ms}, {"median", latency.median_ms}, {"p95", latency.p95_ms}}},
          {"spread", latency.spread},
          {"waited", waited_json(latency)},
          {"steady", steady(latency)},
          {"runs", latency.runs},
          {"threads", latency.threads},
          {"batch", row.batch},
          {"inputs", row.inputs},
          {"foretold_ms", row.foretold_ms ? Json(*row.foretold_ms) : Json()}};
}

}  // namespace

double gflops(const LayerTime& layer) { return layer.ms > 0 ? 2e-6 * layer.macs / layer.ms : 0; }

bool below_break_even(const LayerTime& layer) {
  constexpr double kMany = 0.1;  // fewer zeros nobody had on purpose
  return layer.kernel == "dense" && static_cast<double>(layer.weights - layer.nonzeros) >=
                                        kMany * static_cast<double>(layer.weights);
}

BenchReport bench(const BenchRequest& request, Watcher& watcher) {
  const uint64_t seed = request.common.seed;
  require_possible(request);
  std::optional<RunningEngine> outside;
  if (request.engine->package) {
    outside = RunningEngine::start(*request.engine);
    if (!outside) fail_usage(missing_engine(*request.engine));
  }
  std::vector<Model> models;
  for (const std::string& name : request.models)
    models.push_back(load_model(name, request.common, watcher));
  const InputSizes sizes{.inputs = {}, .batch = request.batch};
  BenchReport report{.engine = outside ? outside->version() : request.engine->name,
                     .rows = rows_of(models, sizes),
                     .layers = {},
                     .peak_gflops = 0};
  if (outside) {
    if (const auto runtime = rates_here(*outside, request, watcher)) {
      foretell(models, sizes, *runtime, report.rows);
      if (request.calibrate) report.rates = named_rates(runtime->rates);
    }
  }
  if (request.layers) {
    report.layers = time_layers(models.front().graph, sizes, seed, watcher);
    report.peak_gflops = peak_gflops(thread_count());
  }
  const std::vector<Latency> latencies =
      outside ? measured_outside(*outside, std::move(models), sizes, request, watcher)
              : measured_here(std::move(models), sizes, seed, watcher);
  for (size_t i = 0; i < latencies.size(); ++i) report.rows[i].latency = latencies[i];
  return report;
}

Json to_json(const BenchReport& report) {
  Json layers = Json::array();
  for (const LayerTime& layer : report.layers) {
    layers.push_back({{"name", layer.name}, {"kind", layer.kind}, {"ms", layer.ms}});
    if (layer.weights == 0) continue;
    layers.back()["kernel"] = layer.kernel;
    layers.back()["weights"] = layer.weights;
    layers.back()["nonzeros"] = layer.nonzeros;
    layers.back()["gflops"] = gflops(layer);
    if (report.peak_gflops > 0) {
      layers.back()["share_of_peak"] = gflops(layer) / report.peak_gflops;
    }
  }
  Json json = Json::object();
  if (report.rows.size() == 1) {
    json = to_json(report.rows.front());
  } else {
    json["models"] = Json::array();
    for (const BenchRow& row : report.rows) json["models"].push_back(to_json(row));
  }
  json["engine"] = report.engine;
  for (const auto& [name, rate] : report.rates) json["rates"][name] = rate;
  json["cpu"] = cpu_name();
  json["layers"] = layers;
  if (report.peak_gflops > 0) json["peak_gflops"] = report.peak_gflops;
  return json;
}

}  // namespace coppice
