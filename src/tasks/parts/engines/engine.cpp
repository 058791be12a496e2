// See engine.h.
#include "tasks/parts/engines/engine.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/paths/temporaries.h"
#include "model/load.h"
#include "onnx/onnx.h"
#include "report/json.h"
#include "tasks/parts/engines/node_script.h"

namespace coppice {
namespace {

constexpr std::array kEngines = {
    TimingEngine{.name = "coppice", .about = "Coppice's own runtime", .package = nullptr},
    TimingEngine{.name = "onnxruntime", .about = "ONNX Runtime", .package = "onnxruntime-node"},
    TimingEngine{
        .name = "onnxruntime-web", .about = "ONNX Runtime Web", .package = "onnxruntime-web"}};

constexpr double kSeconds = 1;  // for each model
constexpr int kLeastRuns = 5, kMostRuns = 500;

std::filesystem::path program_folder() {
  std::error_code none;
  return std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
}

// Without line breaks: what a runtime says of a model goes over several.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::shared_ptr<const std::filesystem::path> temporary_folder() {
  const auto made = make_temporary_folder(std::filesystem::temp_directory_path() / "coppice-model");
  return {new std::filesystem::path(made.path), [lock = made.descriptor](const auto* path) {
            remove_flat_folder(*path);
            ::close(lock);
            delete path;
          }};
}

Json request_of(std::span<const EngineModel> models, int threads, uint64_t seed) {
  Json listed = Json::array();
  for (const EngineModel& model : models) {
    Json inputs = Json::array();
    for (const EngineModel::Input& input : model.inputs()) {
      inputs.push_back({{"name", input.name}, {"dtype", input.dtype}, {"shape", input.shape}});
    }
    listed.push_back({{"path", model.path().string()}, {"inputs", inputs}});
  }
  return {{"models", listed},       {"threads", threads},    {"seconds", kSeconds},
          {"min_runs", kLeastRuns}, {"max_runs", kMostRuns}, {"seed", seed % 0xffffffffu}};
}

}  // namespace

std::span<const TimingEngine> engines() { return kEngines; }

const TimingEngine* find_engine(const std::string& name) {
  const auto found =
      std::ranges::find(kEngines, name, [](const TimingEngine& e) { return e.name; });
  return found == kEngines.end() ? nullptr : &*found;
}

const TimingEngine* engine_for(const Runtime& runtime) {
  const std::string name = runtime.name;
  if (name == "onnxruntime-web") return find_engine(name);
  const bool native = name == "any" || name.starts_with("onnxruntime");
  return native ? find_engine("onnxruntime") : nullptr;
}

EngineModel::EngineModel(const std::string& name, const Graph& graph, const InputSizes& sizes)
    : name_(name), path_(std::filesystem::absolute(name)) {
  for (const ValueId id : graph.inputs) {
    inputs_.push_back({.name = graph.value(id).name,
                       .dtype = name_of(graph.value(id).dtype),
                       .shape = input_shape(graph, id, sizes)});
  }
  if (!is_zoo_name(name) && path_.extension() == ".onnx") return;
  folder_ = temporary_folder();
  path_ = *folder_ / "model.onnx";
  write_onnx(graph, path_);
}

std::optional<RunningEngine> RunningEngine::start(const TimingEngine& engine) {
  COPPICE_CHECK(engine.package, "Coppice's own runtime isn't outside");
  auto node =
      ChildProcess::start({"node", "-e", kNodeScript, engine.package,
                           std::filesystem::current_path().string(), program_folder().string()});
  if (!node) return std::nullopt;
  RunningEngine running(engine, std::move(*node));
  const auto line = running.process_.receive_line();
  if (!line) fail_input(std::string("node ended while it loaded ") + engine.package);
  const Json first = Json::parse(*line);
  if (!first.contains("ready")) return std::nullopt;
  running.version_ = std::string(engine.package) + " " + first.at("ready").get<std::string>();
  return running;
}

std::vector<Latency> RunningEngine::measure(std::span<const EngineModel> models, int threads,
                                            uint64_t seed, Watcher& watcher) {
  Progress progress{.doing = std::string("measuring latency in ") + engine_->about, .unit = "runs"};
  process_.send_line(request_of(models, threads, seed).dump());
  while (true) {
    stop_if_requested(watcher);
    const auto line = process_.receive_line();
    stop_if_requested(watcher);
    if (!line) fail_input(std::string(engine_->about) + " ended unexpectedly");
    const Json said = Json::parse(*line);
    if (said.contains("error")) {
      const size_t which = said.value("model", size_t{0});
      fail_input("'" + models[which].name() + "': " + engine_->about +
                 " refuses it: " + one_line(said.at("error").get<std::string>()));
    }
    if (said.contains("times")) {
      std::vector<Latency> latencies;
      for (const Json& of_model : said.at("times")) {
        std::vector<RunTime> times;
        for (const Json& time : of_model) times.push_back({time.at(0), time.at(1)});
        latencies.push_back(latency_of(std::move(times), threads));
      }
      progress.done = progress.total;
      watcher.progress(progress);
      return latencies;
    }
    progress.done = said.at("done");
    progress.total = said.at("total");
    watcher.progress(progress);
  }
}

std::string missing_engine(const TimingEngine& engine) {
  return std::string(engine.about) +
         " isn't here: install Node, then its package by 'npm install " + engine.package +
         "' in this folder";
}

}  // namespace coppice
