// coppice apply: replays a plan on the model it was made for, or on one of the same structure.
#include <CLI/CLI.hpp>
#include <chrono>

#include "cli/commands/commands.h"
#include "cli/commands/recover_option.h"
#include "cli/cut_summary.h"
#include "cli/output_path.h"
#include "cli/plan_file.h"
#include "core/error.h"
#include "core/files.h"
#include "onnx/onnx.h"
#include "report/format.h"

namespace coppice {
namespace {

struct Options {
  std::string plan, model, output, recover;
  bool verify = true;
};

std::string command_again(const Options& options, const CommonOptions& common) {
  std::string command = "coppice apply " + shell_quoted(options.plan) + " " +
                        shell_quoted(options.model) + " -o " + shell_quoted(options.output);
  if (!options.recover.empty()) command += " --recover " + shell_quoted(options.recover);
  if (!options.verify) command += " --verify off";
  if (common.seed != 0) command += " --seed " + std::to_string(common.seed);
  return command;
}

Result apply(const Options& options, const Invocation& run) {
  const auto start = std::chrono::steady_clock::now();
  const RecoverOptions recover = recover_options(options.recover);
  std::future<std::string> sha256 = model_sha256(options.model, run.options.seed);
  const Plan plan = read_plan(options.plan);
  Places places(run.options);
  places.reads_model(options.model);
  places.reads(options.plan);
  for (const auto& mask : mask_paths(plan, options.plan)) places.reads(mask);
  AtomicFile file(places.writes("-o", options.output));
  const Model model = load_model(options.model, run.options.seed);
  const auto verify = options.verify ? OneShotOptions::Verify::on : OneShotOptions::Verify::off;
  const Outcome outcome = within("plan '" + options.plan + "'", [&] {
    return apply_plan(model.graph, plan, verify, run.options.seed, recover);
  });
  const bool same_model = made_for(plan, sha256.get());
  if (!same_model) run.console.remark(remark_on(plan, options.plan, options.model));
  write_onnx(outcome.graph, file, places.taken());
  file.commit();
  CutSummary summary = summarise(model, outcome);
  summary.output = options.output;
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  summary.command = command_again(options, run.options);
  print(summary, run.console);
  Json json = to_json(summary);
  json["plan"] = options.plan;
  json["same_model"] = same_model;
  return {.json = json};
}

}  // namespace

Action define_apply(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("PLAN", options->plan, "a plan that 'coppice prune' wrote")->required();
  add_model(app, options->model);
  add_output(app, options->output);
  add_recover(app, options->recover);
  add_switch(app, "--verify", options->verify, "prove the cut on random inputs");
  add_common_options(app, common);
  return [options](Invocation& run) { return apply(*options, run); };
}

}  // namespace coppice
