// coppice bench: how long one run takes on this machine, and where the time goes; in Coppice's own
// runtime or in another.
#include "tasks/running/bench.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>

#include "cli/commands/commands.h"
#include "report/format.h"
#include "report/table.h"
#include "tasks/parts/engines/engine.h"
#include "texts/latency.h"

namespace coppice {
namespace {

constexpr Table::Align kRight = Table::Align::right;

struct Options {
  std::vector<std::string> models;
  std::string engine = "coppice";
  int64_t batch = 1;
  bool layers = false, calibrate = false;
};

std::string layers_text(const BenchReport& report) {
  const std::vector<LayerTime>& layers = report.layers;
  double total = 0;
  int64_t waste = 0;
  for (const LayerTime& layer : layers) total += layer.ms;
  Table table({{"layer"},
               {"kind"},
               {"time", kRight},
               {"share", kRight},
               {"kernel"},
               {"non-zero", kRight},
               {"GFLOP/s", kRight},
               {"of peak", kRight}});
  for (const LayerTime& layer : layers) {
    table.add({layer.name, layer.kind, milliseconds(layer.ms),
               percentage(total > 0 ? layer.ms / total : 0), layer.kernel,
               layer.weights > 0 ? percentage(static_cast<double>(layer.nonzeros) /
                                              static_cast<double>(layer.weights))
                                 : "",
               layer.weights > 0 ? significant(gflops(layer), 3) : "",
               layer.weights > 0 && report.peak_gflops > 0
                   ? percentage(gflops(layer) / report.peak_gflops)
                   : ""});
    waste += below_break_even(layer);
  }
  const std::string peak = "\npeak, measured: " + significant(report.peak_gflops, 3) +
                           " GFLOP/s of multiplying and adding in registers alone\n";
  if (waste == 0) return table.text() + peak + "\n";
  return table.text() + peak + std::to_string(waste) +
         (waste == 1 ? " layer has" : " layers have") +
         " zeros, but too few to be faster than dense ('dense' above)\n\n";
}

// A row a model; what others take of the first one's time.
std::string rows_text(const std::vector<BenchRow>& rows, bool colour) {
  std::vector<Table::Column> columns = {
      {"fastest", kRight}, {"median", kRight},  {"95 %", kRight}, {"spread", kRight},
      {"runs", kRight},    {"threads", kRight}, {"input"}};
  const bool several = rows.size() > 1;
  if (several) {
    columns.insert(columns.begin(), {"model"});
    columns.insert(columns.begin() + 3, {"of the first", kRight});
  }
  const bool foretold =
      std::ranges::any_of(rows, [](const BenchRow& row) { return row.foretold_ms.has_value(); });
  if (foretold) columns.push_back({"foretold", kRight});
  Table table(columns);
  for (const BenchRow& row : rows) {
    const Latency& latency = row.latency;
    std::vector<std::string> cells = {milliseconds(latency.min_ms),
                                      milliseconds(latency.median_ms),
                                      milliseconds(latency.p95_ms),
                                      percentage(latency.spread),
                                      with_separators(latency.runs),
                                      std::to_string(latency.threads),
                                      row.inputs};
    if (several) {
      cells.insert(cells.begin(), printable(row.model));
      const double first = rows.front().latency.median_ms;
      cells.insert(cells.begin() + 3,
                   first > 0 ? percentage(latency.median_ms / first) : std::string());
    }
    if (foretold) cells.push_back(row.foretold_ms ? milliseconds(*row.foretold_ms) : "");
    table.add(cells);
    if (!several) continue;
    const auto factor = speedup(rows.front().latency, latency);
    table.judge(3, verdict_of_factor(factor.value_or(1)));
  }
  return table.text(std::numeric_limits<size_t>::max(), 0, colour);
}

std::string rates_text(const std::vector<std::pair<std::string, double>>& rates) {
  Table table({{"kind of layer"}, {"ns for 1,000 MACs or elements", kRight}});
  for (const auto& [name, rate] : rates) table.add({name, significant(rate, 3)});
  return table.text() + "\n";
}

Result bench(const Options& options, Invocation& run) {
  const BenchReport report = bench({.models = options.models,
                                    .batch = options.batch,
                                    .layers = options.layers,
                                    .calibrate = options.calibrate,
                                    .engine = find_engine(options.engine),
                                    .threads = run.options.threads,
                                    .common = run.common()},
                                   run);
  std::vector<Latency> latencies;
  for (const BenchRow& row : report.rows) latencies.push_back(row.latency);
  if (!report.rates.empty()) run.console.print(rates_text(report.rates));
  if (report.rows.empty()) return {.json = to_json(report)};
  run.console.print((options.layers ? layers_text(report) : "") +
                    rows_text(report.rows, run.console.style().colour) + noise_line(latencies));
  return {.json = to_json(report)};
}

std::vector<std::string> engine_names() {
  std::vector<std::string> names;
  for (const TimingEngine& engine : engines()) names.emplace_back(engine.name);
  return names;
}

}  // namespace

Action define_bench(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->models,
                 "a .onnx file, or zoo:NAME for an untrained one; several\nrun in turns");
  app.add_option("--engine", options->engine,
                 "what runs them: coppice (default), onnxruntime or onnxruntime-web, by\nthe "
                 "package of Node that is found here")
      ->type_name("NAME")
      ->check(CLI::IsMember(engine_names()).description(""));
  app.add_flag(
      "--calibrate", options->calibrate,
      "measure first what kinds of layers take in the engine, and keep it: times\nare then "
      "foretold beside what is measured");
  add_count(app, "--batch", options->batch, kMostBatch, "images at once (default 1)");
  app.add_flag("--layers", options->layers, "the time of every layer, too");
  add_common_options(app, common);
  return [options](Invocation& run) { return bench(*options, run); };
}

}  // namespace coppice
