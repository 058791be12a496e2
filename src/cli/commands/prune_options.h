// The options of `coppice prune`, checked, and the command line that says them again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/commands/sharing_options.h"
#include "cli/options.h"
#include "cli/training.h"
#include "methods/methods.h"

namespace coppice {

struct PruneOptions {
  std::string model, output, plan, method = "l2";
  std::optional<double> keep_macs, keep_params, prune_ratio, max_layer_ratio, sparsity;
  std::string round_to = "auto", recover;
  std::optional<std::string> scope, aggregate;
  std::vector<std::string> keep;
  bool keep_spine = false, verify = true, latency = true, fold_bn = false, simplify = false;
  std::optional<double> norm_share, lambda, tune_lr;
  std::optional<int64_t> tune_epochs;
  bool soft = false;
  std::vector<std::string> densities;  // of deep-compression, like all up to `alternate`
  std::optional<double> quality;
  std::optional<int64_t> rounds;
  SharingTexts sharing;
  bool alternate = false;
  std::string data, preprocess;
  std::optional<int64_t> label_offset;
  TrainingOptions training;
};

void add_prune_options(CLI::App& app, PruneOptions& options);

// Throws Error::usage for options that say nothing to this method.
void require_fitting(const PruneOptions& options, const Method& method);

// Throws Error::usage for options of training without --epochs, --epochs without --data, and a
// method that trains without --epochs.
void require_consistent_training(const PruneOptions& options, const Method& method);

// The shell command with every option that isn't at its default, whatever --config gave.
std::string command_again(const PruneOptions& options, const CommonOptions& common);
// What the trained result depends on: the model by its sum, and every option but those that say
// where things go and how fast.
Request request_of(const PruneOptions& options, const std::string& model_sha256,
                   const CommonOptions& common);

}  // namespace coppice
