// coppice bench: how long one run takes on this machine, and where the time goes.
#include "tasks/bench.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "report/format.h"
#include "report/table.h"
#include "texts/latency.h"

namespace coppice {
namespace {

constexpr Table::Align kRight = Table::Align::right;

struct Options {
  std::string model;
  int64_t batch = 1;
  bool layers = false;
};

std::string layers_text(const std::vector<LayerTime>& layers) {
  double total = 0;
  for (const LayerTime& layer : layers) total += layer.ms;
  Table table({{"layer"}, {"kind"}, {"time", kRight}, {"share", kRight}});
  for (const LayerTime& layer : layers) {
    table.add({layer.name, layer.kind, milliseconds(layer.ms),
               percentage(total > 0 ? layer.ms / total : 0)});
  }
  return table.text() + "\n";
}

Result bench(const Options& options, Invocation& run) {
  const BenchReport report = bench({.model = options.model,
                                    .batch = options.batch,
                                    .layers = options.layers,
                                    .common = run.common()},
                                   run);
  const Latency& latency = report.latency;
  Table table({{"fastest", kRight},
               {"median", kRight},
               {"95 %", kRight},
               {"spread", kRight},
               {"runs", kRight},
               {"threads", kRight},
               {"input"}});
  table.add({milliseconds(latency.min_ms), milliseconds(latency.median_ms),
             milliseconds(latency.p95_ms), percentage(latency.spread),
             with_separators(latency.runs), std::to_string(latency.threads), report.inputs});
  run.console.print((options.layers ? layers_text(report.layers) : "") + table.text() +
                    noise_line(std::span(&latency, 1)));
  return {.json = to_json(report)};
}

}  // namespace

Action define_bench(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_count(app, "--batch", options->batch, kMostBatch, "images at once (default 1)");
  app.add_flag("--layers", options->layers, "the time of every layer, too");
  add_common_options(app, common);
  return [options](Invocation& run) { return bench(*options, run); };
}

}  // namespace coppice
