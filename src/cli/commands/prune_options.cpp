// No method is named here: what there is to say of one is in its entry (methods/method.h).
#include "cli/commands/prune_options.h"

#include <CLI/CLI.hpp>

#include "cli/training.h"
#include "core/error.h"
#include "methods/option_owners.h"
#include "report/format.h"
#include "session/data_options.h"

namespace coppice {
namespace {

// What --help says of one method.
std::string described(const Method& method) {
  std::string text = method.name + ": " + method.about + "\nneeds: " + method.needs +
                     "\nsource: " + method.paper + "\n";
  return method.differs.empty() ? text : text + "differs: " + method.differs + "\n";
}

void require_own(const PruneOptions& options, const Method& method) {
  const auto others = options.given.others(options_of(method));
  if (others.empty()) return;
  fail_usage(others.front()->flag() + " is for " + methods_with(*others.front()) +
             ", found --method " + method.name + "; 'coppice prune --method " + method.name +
             " --help' lists its options");
}

void require_consistent_training(const PruneOptions& options, const Method& method,
                                 const Settings& settings) {
  if (settings.has(kEpochs)) {
    require_consistent(settings);
    if (settings.has(kData)) return;
    fail_usage("--epochs " + std::to_string(settings[kEpochs]) +
               ": training needs --data, for example cifar10:DIR; 'coppice data' lists the forms");
  }
  if (method.decides_in_training(settings)) {
    fail_usage("--method " + method.name + (method.prune ? " with these options" : "") +
               " trains: add --data SPEC and --epochs N");
  }
  if (options.resume) {
    fail_usage("--resume goes on with training; add the --epochs that the run began with");
  }
  for (const OptionUse& use : training_options()) {
    if (!settings.has(*use.option)) continue;
    fail_usage(use.option->flag() + " is for training; add --epochs N to train afterwards");
  }
}

}  // namespace

void add_prune_options(CLI::App& app, PruneOptions& options) {
  add_model(app, options.model);
  add_output(app, options.output);
  app.add_option("--method", options.method,
                 "how channels or weights are ranked (default l2);\n'coppice methods' lists them, "
                 "--method NAME --help explains one")
      ->type_name("NAME")
      ->each([&app, &options](const std::string& name) {
        const Method& method = find_method(name);
        app.description(described(method));
        options.given.show_only(options_of(method));
      });
  options.given.add(app, options_of_all_methods());
  app.add_option("--plan", options.plan,
                 "where the plan goes (default: plan.json beside OUT, or\n"
                 "OUT.plan.json where that is another's)")
      ->type_name("FILE");
  add_switch(
      app, "--latency", options.latency,
      "measure latency before and after, at batch 1, of\none thread unless --threads says more");
  add_resume(app, options.resume);
}

Settings settings_of(const PruneOptions& options, const Method& method) {
  require_own(options, method);
  Settings settings = options.given.settings(options_of(method));
  if (method.settle) method.settle(settings);
  require_consistent_training(options, method, settings);
  return settings;
}

std::string command_again(const PruneOptions& options, const Settings& settings,
                          const CommonOptions& common) {
  std::string command = "coppice prune " + shell_quoted(options.model);
  const auto add = [&](const std::string& name, const std::string& value) {
    command += " " + name + (value.empty() ? "" : " " + shell_quoted(value));
  };
  add("-o", options.output);
  add("--method", options.method);
  for (const auto& [name, value] : settings.decisive()) add(name, value);
  if (!options.plan.empty()) add("--plan", options.plan);
  if (!options.latency) add("--latency", "off");
  if (common.seed != 0) add("--seed", std::to_string(common.seed));
  if (common.threads != 0) add("--threads", std::to_string(common.threads));
  return command;
}

Request request_of(const PruneOptions& options, const Settings& settings,
                   const std::string& model_sha256, const CommonOptions& common) {
  Request request = {{"command", "prune"}, {"model", model_sha256}, {"--method", options.method}};
  for (auto& entry : settings.decisive()) request.push_back(std::move(entry));
  request.emplace_back("--seed", std::to_string(common.seed));
  return request;
}

}  // namespace coppice
