// Accuracy and loss of a classifier on the test part of a data set, or on all it has.
#pragma once

#include <string>

#include "options/settings.h"
#include "tasks/parts/common.h"
#include "tasks/parts/evaluate.h"

namespace coppice {

struct EvalRequest {
  std::string model;
  Settings settings;                            // of data_options; data are needed
  std::string engine = "runtime", device = {};  // device: of the engine "train"; empty: cpu
  int64_t batch = 0;                            // 0: chosen by the image size
  int64_t limit = 0;                            // only so many images, drawn at random; 0: all
  CommonRequest common = {};
};

struct EvalReport {
  Evaluation found;
  std::string model, data, engine, judged_by;
  Json judging;  // of Judge
};

EvalReport eval(const EvalRequest& request, Watcher& watcher);

Json to_json(const EvalReport& report);

}  // namespace coppice
