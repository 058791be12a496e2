// Pruning a model, from file to file: scores, cuts, proves, trains where asked to, writes, and
// measures what it brought.
//
//   PruneRequest request{.model = "net.onnx", .output = "small.onnx"};
//   request.settings = Settings(options_of(find_method(request.method)));
//   request.settings.set(kKeepMacs, "0.5");
//   const PruneReport report = prune(request, watcher);
#pragma once

#include <string>

#include "methods/method.h"
#include "prune/latency/latency_meter.h"
#include "tasks/parts/common.h"
#include "tasks/parts/cut_summary.h"
#include "tasks/parts/watcher.h"
#include "tasks/runs/figures.h"

namespace coppice {

struct PruneRequest {
  std::string model, output;
  std::string plan = {};  // where it goes; empty: beside the output (usual_plan_path)
  std::string method = kUsualMethod;
  Settings settings = {};         // of options_of(method)
  Settings controls = {};         // of control_options (tasks/runs/controls.h); nothing: none
  bool recovers_unasked = false;  // nobody asked for what --recover is set to
  bool resume = false;            // an unfinished training
  bool judged = true;             // by the images that judge; what is only tried isn't shown them
  bool latency = true;            // measured before and after, at batch 1
  int64_t threads = 0;            // that latency is measured with; 0: one
  CommonRequest common = {};
};

struct PruneReport {
  CutSummary summary;
  Settings settings;      // as the method settled them
  std::string structure;  // "predefined" or "automatic" (methods/method.h); empty: unknown, or none
  Json training = {};     // TrainingRun::to_json and the method's facts; null where none was
  Json judging = {};      // Judge::to_json; null without data
  int64_t looked_at = 0;  // images, to decide
  std::vector<RegressedLayer> regressed = {};
  std::vector<std::pair<std::string, int64_t>> facts = {};  // Outcome::facts where none trained
  std::optional<LatencyMeter::Found> latency = {};          // what became of a budget of it
  int64_t measured_images = 0;                              // that recovering looked at
  std::vector<RunRow> rows = {};  // the pruning and its controls; empty where none were asked for
};

// Throws Error::usage for settings that contradict each other, such as epochs without data, or a
// method that trains without epochs.
void check(const PruneRequest& request);
// Files appear together and only when everything that can fail has succeeded; then controls begin.
// Until these are done the checkpoint stays, so that the same request with `resume` goes on with
// them. Throws what `check` and its parts throw.
PruneReport prune(const PruneRequest& request, Watcher& watcher);

Json to_json(const PruneReport& report);

}  // namespace coppice
