// The options of `coppice prune`, checked, and the command line that says them again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/training.h"
#include "methods/methods.h"

namespace coppice {

struct PruneOptions {
  std::string model, output, plan, method = "l2";
  std::optional<double> keep_macs, keep_params, prune_ratio;
  std::string round_to = "auto";
  std::vector<std::string> keep;
  bool keep_spine = false, verify = true, latency = true;
  std::string data, preprocess;
  TrainingOptions training;
};

void add_prune_options(CLI::App& app, PruneOptions& options);

// Throws Error::usage for a budget outside of (0, 1) or a width to round to below 1.
OneShotOptions one_shot_options(const PruneOptions& options, uint64_t seed);

// The shell command with every option that isn't at its default, whatever --config gave.
std::string command_again(const PruneOptions& options, const CommonOptions& common);
// What the trained result depends on: the model by its sum, and every option but those that say
// where things go and how fast.
Request request_of(const PruneOptions& options, const std::string& model_sha256,
                   const CommonOptions& common);

}  // namespace coppice
