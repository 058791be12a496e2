// What is read off the reports of runs that are compared, and what is made of several.
#pragma once

#include <string>
#include <vector>

#include "report/json.h"

namespace coppice {

// Of `prune` (PruneReport as JSON): {"surgery", "recovered", "held_out", "judged", "macs",
// "parameters", "latency_ms", "epochs", "learning_rate", "minutes"}; null where there is no such
// thing. The first three are top-1 of the images held out: once the channels are gone, once that
// was made up for, and at the end; "judged" is the end's by "judged_by"; the rate is the largest of
// what trained last.
Json figures_of_pruning(const Json& report);
// Of the model that was pruned: {"judged", "macs", "parameters", "latency_ms"}.
Json figures_of_original(const Json& report);

// Runs of one method, or of a control.
struct RunRow {
  std::string name;
  std::string structure_of = {};  // of a control: the method whose structure it has
  std::string why_not = {};       // what the first run that failed says; empty: all worked
  std::vector<Json> runs = {};    // figures, "seed" and "folder" of each that worked
};

struct MeanAndDeviation {
  Json mean = Json::object();
  Json deviation = Json::object();  // of a sample: nothing of a single run
};
// Of every key that is a number in some run.
MeanAndDeviation mean_and_deviation(const std::vector<Json>& runs);

}  // namespace coppice
