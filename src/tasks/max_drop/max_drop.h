// The strongest pruning that costs no more accuracy than somebody can spare: budgets are halved
// towards it, each tried as a pruning of its own, with all the training that it has.
//
//   MaxDropRequest request{.pruning = {.model = "net.onnx", .output = "small.onnx"}};
//   request.points = 0.5;
//   request.pruning.settings.set(kData, "cifar10:DIR");
//   const MaxDropReport report = prune_within_drop(request, watcher);
//
// What is tried lies in the run folder, max-drop/keep-0.5000 and so on, with its report; what is
// done there isn't done again, so that a run that stopped goes on.
#pragma once

#include <optional>
#include <vector>

#include "tasks/prune.h"

namespace coppice {

struct MaxDropRequest {
  PruneRequest pruning;  // without a budget; with data
  double points = 1;     // of top-1 on the images held out that may be lost
};

struct TriedBudget {
  double kept = 1;                  // share of the multiply-accumulates
  std::optional<double> top1 = {};  // of the images held out; nothing where it can't be reached
  std::string why_not = {};
  bool keeps = false;  // loses no more than may be lost
};

struct MaxDropReport {
  PruneReport pruned;                   // by the smallest budget that keeps the accuracy
  double original = 0;                  // top-1 of the images held out
  int64_t images = 0;                   // how many these are
  std::vector<TriedBudget> tried = {};  // in their order
};

// Throws Error::usage where there is a budget already, no data, or a method that has none.
void check(const MaxDropRequest& request);
// Throws Error::target where even the weakest budget that is tried loses more.
MaxDropReport prune_within_drop(const MaxDropRequest& request, Watcher& watcher);

Json to_json(const MaxDropReport& report);

}  // namespace coppice
