// The commands, one file each. To add one: write its define function in a file of its own here,
// declare it below, and give it a line in the table (commands.cpp).
//
// `define` tells CLI11 the command's options and returns what runs once they are read. What runs
// prints for people through the console as it goes, and returns the same as JSON.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "cli/options.h"

namespace coppice {

struct Result {
  Json json;
  std::string verdict = {};  // not empty: the answer is no, for this reason; exit code 4
};

using Action = std::function<Result(Invocation&)>;

struct Command {
  const char* name;
  const char* arguments;  // for the overview
  const char* about;
  Action (*define)(CLI::App& app, CommonOptions& options);
  const char* examples;
  bool runs_nets = false;  // its threads wait for each other, see cli/patient_threads.h
};

std::span<const Command> commands();

Action define_apply(CLI::App& app, CommonOptions& options);
Action define_bench(CLI::App& app, CommonOptions& options);
Action define_compare(CLI::App& app, CommonOptions& options);
Action define_compress(CLI::App& app, CommonOptions& options);
Action define_criteria(CLI::App& app, CommonOptions& options);
Action define_data(CLI::App& app, CommonOptions& options);
Action define_decompress(CLI::App& app, CommonOptions& options);
Action define_eval(CLI::App& app, CommonOptions& options);
Action define_inspect(CLI::App& app, CommonOptions& options);
Action define_methods(CLI::App& app, CommonOptions& options);
Action define_prune(CLI::App& app, CommonOptions& options);
Action define_run(CLI::App& app, CommonOptions& options);
Action define_search(CLI::App& app, CommonOptions& options);
Action define_sensitivity(CLI::App& app, CommonOptions& options);
Action define_simplify(CLI::App& app, CommonOptions& options);
Action define_train(CLI::App& app, CommonOptions& options);
Action define_verify(CLI::App& app, CommonOptions& options);
Action define_zoo(CLI::App& app, CommonOptions& options);

}  // namespace coppice
