// Runtimes that people deploy in, timed from outside: each lives in a Node process that starts
// once, loads the models and runs them in turns, as runtime/latency.h does with Coppice's own.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/process/child_process.h"
#include "graph/infer.h"
#include "prune/runtimes/runtimes.h"
#include "runtime/latency.h"
#include "tasks/parts/watcher.h"

namespace coppice {

// What a model is timed in: Coppice's own runtime, or a package of Node.
struct TimingEngine {
  const char* name;     // "onnxruntime"
  const char* about;    // "ONNX Runtime"
  const char* package;  // "onnxruntime-node"; null for Coppice's own
};
std::span<const TimingEngine> engines();
// Null for a name that isn't one.
const TimingEngine* find_engine(const std::string& name);
// In which a model for that runtime can be timed; null where there is none from outside.
const TimingEngine* engine_for(const Runtime& runtime);

// A model as another program reads it: an ONNX file, which is written where the name is of none.
class EngineModel {
 public:
  struct Input {
    std::string name, dtype;
    Shape shape;
  };

  // `name`: as load_model takes it, of which came `graph`. Throws Error::input where a file can't
  // be written.
  EngineModel(const std::string& name, const Graph& graph, const InputSizes& sizes);

  const std::string& name() const { return name_; }
  const std::filesystem::path& path() const { return path_; }
  const std::vector<Input>& inputs() const { return inputs_; }

 private:
  std::string name_;
  std::filesystem::path path_;
  std::vector<Input> inputs_;
  std::shared_ptr<const std::filesystem::path> folder_;  // of what was written; removed with this
};

class RunningEngine {
 public:
  // Nothing where Node or the package isn't installed. Throws Error::input where they are and fail.
  static std::optional<RunningEngine> start(const TimingEngine& engine);

  const TimingEngine& engine() const { return *engine_; }
  // "onnxruntime-node 1.30.0"
  const std::string& version() const { return version_; }
  // One latency a model, in order. Throws Error::input for a model that the engine refuses, with
  // its own words in one line, and Error::interrupted where the watcher asks for it.
  std::vector<Latency> measure(std::span<const EngineModel> models, int threads, uint64_t seed,
                               Watcher& watcher);

 private:
  RunningEngine(const TimingEngine& engine, ChildProcess process)
      : engine_(&engine), process_(std::move(process)) {}

  const TimingEngine* engine_;
  ChildProcess process_;
  std::string version_;
};

// What to install, for where there is none.
std::string missing_engine(const TimingEngine& engine);

}  // namespace coppice
