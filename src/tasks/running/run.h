// A model run once, in Coppice's own runtime, on arrays that are npy files.
#pragma once

#include <string>
#include <vector>

#include "tasks/parts/common.h"
#include "tasks/parts/watcher.h"

namespace coppice {

struct RunRequest {
  std::string model;
  std::vector<std::string> inputs;        // "x.npy", "NAME=x.npy" or "all.npz" (array_files.h)
  std::vector<std::string> outputs = {};  // the same; empty: nothing is written
  CommonRequest common = {};
};

struct RunReport {
  struct Array {
    std::string name, type;
    Shape shape;
    std::string file = {};  // empty: of an output that isn't written
    // Of an output's numbers; not of those that are NaN.
    double least = 0, mean = 0, greatest = 0;
    int64_t nans = 0;
  };

  std::string model;
  std::vector<Array> inputs, outputs;
  double load_ms = 0, run_ms = 0;
  int threads = 0;
};

// An input of half precision takes arrays of float16 or float32, and an output of float16 is
// written as such. Throws Error::usage for names that aren't the model's and inputs that are
// missing, Error::input for arrays of another type or shape, and Error::target, naming the node,
// for what can't be run; then nothing was run or written.
RunReport run(const RunRequest& request, Watcher& watcher);

Json to_json(const RunReport& report);

}  // namespace coppice
