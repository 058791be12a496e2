// The command line of `coppice prune`.
#pragma once

#include <string>

#include "cli/given_options.h"
#include "cli/options.h"
#include "methods/method.h"

namespace coppice {

struct PruneOptions {
  std::string model, output, plan, method = "l2";
  bool latency = true, resume = false;
  GivenOptions given;  // of all methods
};

void add_prune_options(CLI::App& app, PruneOptions& options);

// What the method was told, checked. Throws Error::usage for what isn't an option of it, for
// options of training without --epochs, for --epochs without --data, and for a method that trains
// without --epochs.
Settings settings_of(const PruneOptions& options, const Method& method);

// The shell command with every option that isn't at its default, whatever --config gave.
std::string command_again(const PruneOptions& options, const Settings& settings,
                          const CommonOptions& common);
// What the trained result depends on: the model by its sum, and every option but those that say
// where things go and how fast.
Request request_of(const PruneOptions& options, const Settings& settings,
                   const std::string& model_sha256, const CommonOptions& common);

}  // namespace coppice
