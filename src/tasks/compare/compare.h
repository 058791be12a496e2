// Several methods on one model with the same budget, recipe and seeds, beside controls: the table
// by which a user chooses.
//
//   CompareRequest request{.model = "net.onnx", .folder = "compared", .methods = {"l2", "fpgm"}};
//   request.given = {{&kKeepMacs, "0.5"}, {&kData, "cifar10:DIR"}, {&kEpochs, "2"}};
//   const CompareReport report = compare(request, watcher);
//
// Every run has a folder of its own, FOLDER/METHOD-seedN, with its model, plan, report.json and,
// until it is done, its checkpoint. A run that is done isn't run again, one that stopped goes on;
// so the same request after an interruption ends as it would have. What can't work on the model is
// a row that says why.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "methods/method.h"
#include "tasks/parts/common.h"
#include "tasks/parts/watcher.h"
#include "tasks/runs/figures.h"

namespace coppice {

struct CompareRequest {
  std::string model, folder;
  std::vector<std::string> methods = {};  // empty: all that cut channels
  // What every choice must beat: channels drawn at random for the same budget; and what becomes of
  // the pruning of the first method that works under other controls (tasks/runs/controls.h).
  std::vector<std::string> controls = {"random", "scratch-e"};
  Settings dense = {};  // of dense_options (there), for these controls
  // Values of options that all the methods have; the controls take those that they have.
  std::vector<std::pair<const Option*, std::string>> given = {};
  int64_t repeat = 1;   // seeds common.seed, common.seed + 1, ...
  bool latency = true;  // of the models of the first seed, beside the original's
  int64_t threads = 0;  // as PruneRequest
  CommonRequest common = {};
};

struct CompareReport {
  std::string model, folder, judged_by;
  int64_t repeat = 1;
  Json settings = {};  // a list of what was given: {"name", "value"}
  Json original = {};  // figures_of_original; null where nothing worked
  std::vector<RunRow> rows = {};
};

// Those that all of the methods have; where none is named, those that any method has. Throws
// Error::usage for one that is unknown, named twice or doesn't cut channels.
OptionList options_to_compare(const std::vector<std::string>& methods);

// Throws Error::usage for what can't be asked of any method, or is asked of an option that one
// lacks.
void check(const CompareRequest& request);
// Also writes the report to FOLDER/compare.json. Throws as `check` does; Error::usage where FOLDER
// holds runs of another request.
CompareReport compare(const CompareRequest& request, Watcher& watcher);

// "rows" have "mean" and "deviation" of all that is a number in their runs, too.
Json to_json(const CompareReport& report);

}  // namespace coppice
