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
  std::optional<double> keep_macs, keep_params, prune_ratio, sparsity;
  std::string round_to = "auto";
  std::optional<std::string> scope;
  std::vector<std::string> keep;
  bool keep_spine = false, verify = true, latency = true, fold_bn = false, simplify = false;
  std::string data, preprocess;
  TrainingOptions training;
};

void add_prune_options(CLI::App& app, PruneOptions& options);

// Throws Error::usage for options that say nothing to a method of this kind.
void require_fitting(const PruneOptions& options, const Method& method);

// For unstructured methods. Throws Error::usage for a sparsity that is missing or outside of (0, 1)
// and an unknown scope.
MagnitudeOptions magnitude_options(const PruneOptions& options);

// For structured ones. Throws Error::usage for a budget outside of (0, 1) or a width to round to
// below 1.
OneShotOptions one_shot_options(const PruneOptions& options, uint64_t seed);

// Throws Error::usage for options of training without --epochs, and --epochs without --data.
void require_consistent_training(const PruneOptions& options);

// The shell command with every option that isn't at its default, whatever --config gave.
std::string command_again(const PruneOptions& options, const CommonOptions& common);
// What the trained result depends on: the model by its sum, and every option but those that say
// where things go and how fast.
Request request_of(const PruneOptions& options, const std::string& model_sha256,
                   const CommonOptions& common);

}  // namespace coppice
