// What every request has, beside what it is for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/load.h"
#include "options/settings.h"
#include "training/trainer.h"

namespace coppice {

struct CommonRequest {
  uint64_t seed = 0;  // for all that is random
  // Keeps a record, and the checkpoint of a training. Empty: a training's is beside its result.
  std::filesystem::path run_folder = {};
  // Files beside those of the request that are read, so that nothing is written over them.
  std::vector<std::filesystem::path> reads = {};
  InputShapes input_shapes = {};  // of inputs whose sizes the model leaves open
  // What trains.
  std::function<std::unique_ptr<Trainer>(const TrainerOptions&)> open_trainer =
      coppice::open_trainer;
};

class Watcher;
// The model that a task is about. Says where sizes are assumed, and what else is to be said of it.
Model load_model(const std::string& name, const CommonRequest& common, Watcher& watcher);

// "--input-shape" of each: what a run said, and what one that goes on with it must say, too.
Request request_of_shapes(const InputShapes& shapes);

// Where a training that writes `output` keeps its checkpoint, unless it is told.
std::string default_run_folder(const std::string& output);
// With it, where there is none.
CommonRequest with_run_folder(CommonRequest common, const std::string& output);

}  // namespace coppice
