// coppice apply: replays a plan on the model it was made for, or on one of the same structure.
#include "tasks/apply.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "core/error.h"
#include "texts/cut_summary.h"

namespace coppice {
namespace {

struct Options {
  std::string plan, model, output;
  GivenOptions given;
};

void require_order(const Options& options) {
  if (!options.plan.ends_with(".onnx") || !options.model.ends_with(".json")) return;
  fail_usage("the plan comes before the model: coppice apply " + options.model + " " +
             options.plan);
}

Result apply(const Options& options, Invocation& run) {
  require_order(options);
  const ApplyReport report = apply({.plan = options.plan,
                                    .model = options.model,
                                    .output = options.output,
                                    .settings = options.given.settings(options_of_apply()),
                                    .common = run.common()},
                                   run);
  run.console.print(text_of(report.summary, run.console.style()));
  return {.json = to_json(report)};
}

}  // namespace

Action define_apply(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("PLAN", options->plan, "a plan that 'coppice prune' wrote")->required();
  add_model(app, options->model);
  add_output(app, options->output);
  options->given.add(app, options_of_apply());
  add_common_options(app, common);
  return [options](Invocation& run) { return apply(*options, run); };
}

}  // namespace coppice
