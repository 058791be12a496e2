// What a comparison reads off the reports of its runs, and what it makes of several.
#pragma once

#include <vector>

#include "report/json.h"

namespace coppice {

// Of `prune` (PruneReport as JSON), with the keys of tasks/compare.h but for "seed" and "folder".
Json figures_of_pruning(const Json& report);
// Of `train` (TrainReport as JSON) on a model with the costs of those `structure` figures.
Json figures_of_training(const Json& report, const Json& structure);

struct MeanAndDeviation {
  Json mean = Json::object();
  Json deviation = Json::object();  // of a sample: nothing of a single run
};
// Of every key that is a number in some run.
MeanAndDeviation mean_and_deviation(const std::vector<Json>& runs);

}  // namespace coppice
