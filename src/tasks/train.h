// Training a model from its weights as they are, and writing it.
#pragma once

#include <optional>
#include <string>

#include "options/settings.h"
#include "tasks/parts/common.h"
#include "tasks/parts/density.h"
#include "tasks/parts/evaluate.h"

namespace coppice {

OptionList options_of_train();

struct TrainRequest {
  std::string model, output;
  Settings settings;  // of options_of_train; data are needed
  bool resume = false;
  CommonRequest common = {};
};

struct TrainReport {
  std::string model, output, data;
  int64_t epochs = 0;
  DensityChange density;
  std::optional<Evaluation> judged;  // nothing where the model has no scores of the classes
  std::string judged_by;
  std::string stored = {};  // "float16": what weights are written in, where that isn't float32
  Json training, judging;   // of TrainingRun and Judge
};

// Throws Error::usage for settings that contradict each other.
void check(const TrainRequest& request);
TrainReport train(const TrainRequest& request, Watcher& watcher);

Json to_json(const TrainReport& report);

}  // namespace coppice
