// See calibrate.h.
#include "tasks/parts/engines/calibrate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "core/files.h"
#include "core/machine/cache_folder.h"
#include "core/machine/cpu_name.h"
#include "graph/cost.h"
#include "model/load.h"
#include "report/json.h"
#include "zoo/builder.h"

namespace coppice {
namespace {

constexpr int kLayers = 4;

struct Layers {
  int64_t channels, size, kernel, groups;
};

// Equal convolutions, each with a Relu behind it.
Graph convolutions(const Layers& layers) {
  Builder build("calibration", 1, Initialisation{});
  ValueId x = build.input({layers.channels, layers.size, layers.size});
  const ConvOptions options{
      .kernel = layers.kernel, .padding = layers.kernel / 2, .groups = layers.groups};
  for (int i = 0; i < kLayers; ++i) {
    const std::string n = std::to_string(i);
    x = build.relu("relu" + n, build.conv("conv" + n, x, layers.channels, options));
  }
  return build.finish(x);
}

// So many rows are read at once: the batch.
constexpr int64_t kRows = 197;

Graph products() {
  Builder build("calibration", 1, Initialisation{});
  ValueId x = build.input({768});
  for (int i = 0; i < kLayers; ++i) x = build.linear("linear" + std::to_string(i), x, 768);
  return build.finish(x);
}

// What works by element, and isn't joined to a layer.
Graph elements(int64_t channels, int64_t size) {
  Builder build("calibration", 1, Initialisation{});
  ValueId x = build.input({channels, size, size});
  for (int i = 0; i < kLayers; ++i) {
    const std::string n = std::to_string(i);
    x = build.add("add" + n, x, build.max_pool("pool" + n, x, 1));
  }
  return build.finish(x);
}

struct Probe {
  Graph graph;
  InputSizes sizes = {};
  double work = 0;  // multiply-accumulates, or elements
};

Probe probe(Graph graph, int64_t batch = 1) {
  Probe made{.graph = std::move(graph), .sizes = {.inputs = {}, .batch = batch}};
  made.work = static_cast<double>(costs_of(made.graph, infer(made.graph, made.sizes)).macs);
  return made;
}

// In the order of `rates_of`.
std::vector<Probe> probes() {
  std::vector<Probe> all;
  for (const Layers& layers : std::to_array<Layers>({{64, 28, 3, 1},
                                                     {256, 14, 3, 1},
                                                     {64, 28, 1, 1},
                                                     {256, 14, 1, 1},
                                                     {192, 28, 3, 192},
                                                     {384, 14, 3, 384},
                                                     {128, 28, 3, 32},
                                                     {512, 14, 3, 32}})) {
    all.push_back(probe(convolutions(layers)));
  }
  all.push_back(probe(products(), kRows));
  constexpr int64_t kChannels = 64, kSize = 56;
  all.push_back({.graph = elements(kChannels, kSize)});
  // A pool reads one element and gives one, an addition reads two and gives one.
  all.back().work = static_cast<double>(kLayers * 5 * kChannels * kSize * kSize);
  return all;
}

// Of picoseconds for each of the probes' works.
Runtime::Rates rates_of(const std::vector<double>& ps, const Runtime& runtime) {
  const auto middle = [&](size_t i) { return std::sqrt(ps[i] * ps[i + 1]); };
  // grouped + lone / channels at 4 and at 16 channels a group
  const double few = ps[6] / (4 % runtime.block == 0 ? 1 : runtime.off_block_grouped);
  const double lone = std::max(0.0, (few - ps[7]) / (1.0 / 4 - 1.0 / 16));
  return {.dense = middle(0),
          .pointwise = middle(2),
          .depthwise = middle(4),
          .grouped = std::max(1.0, ps[7] - lone / 16),
          .lone = lone,
          .matrix = ps[8],
          .element = ps[9]};
}

constexpr std::array<std::pair<const char*, double Runtime::Rates::*>, 7> kRates = {
    {{"dense", &Runtime::Rates::dense},
     {"pointwise", &Runtime::Rates::pointwise},
     {"depthwise", &Runtime::Rates::depthwise},
     {"grouped", &Runtime::Rates::grouped},
     {"lone", &Runtime::Rates::lone},
     {"matrix", &Runtime::Rates::matrix},
     {"element", &Runtime::Rates::element}}};

// Empty where there is no cache folder.
std::filesystem::path kept_in(const std::string& version) {
  const std::string folder = cache_folder();
  if (folder.empty()) return {};
  std::string name = "rates of " + version + " on " + cpu_name() + ".json";
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.'; }, '-');
  return std::filesystem::path(folder) / name;
}

}  // namespace

Runtime calibrated(const Runtime& runtime, RunningEngine& engine, uint64_t seed, Watcher& watcher) {
  const std::vector<Probe> all = probes();
  std::vector<EngineModel> models;
  for (const Probe& one : all) models.emplace_back("zoo:calibration", one.graph, one.sizes);
  const std::vector<Latency> found = engine.measure(models, 1, seed, watcher);
  std::vector<double> ps;
  for (size_t i = 0; i < all.size(); ++i) ps.push_back(1e9 * found[i].min_ms / all[i].work);
  Runtime here = runtime;
  here.rates = rates_of(ps, runtime);
  return here;
}

std::vector<std::pair<std::string, double>> named_rates(const Runtime::Rates& rates) {
  std::vector<std::pair<std::string, double>> named;
  for (const auto& [name, rate] : kRates) named.emplace_back(name, rates.*rate);
  return named;
}

std::optional<Runtime> calibrated_before(const Runtime& runtime, const std::string& version) {
  const std::filesystem::path path = kept_in(version);
  std::error_code none;
  if (path.empty() || !std::filesystem::exists(path, none)) return std::nullopt;
  const Json kept = Json::parse(read_text(path), nullptr, false);
  Runtime here = runtime;
  for (const auto& [name, rate] : kRates) {
    if (!kept.is_object() || !kept.contains(name) || !kept[name].is_number()) return std::nullopt;
    here.rates.*rate = kept[name];
  }
  return here;
}

void keep_calibration(const Runtime& runtime, const std::string& version) {
  const std::filesystem::path path = kept_in(version);
  if (path.empty()) return;
  Json json = Json::object();
  for (const auto& [name, rate] : named_rates(runtime.rates)) json[name] = rate;
  keep_in_cache(path, dumped(json, 1) + "\n");
}

}  // namespace coppice
