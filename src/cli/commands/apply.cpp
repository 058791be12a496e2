// coppice apply: replays a plan on the model it was made for, or on one of the same structure.
#include <CLI/CLI.hpp>
#include <chrono>

#include "cli/commands/commands.h"
#include "cli/cut_summary.h"
#include "cli/given_options.h"
#include "cli/measuring.h"
#include "cli/output_path.h"
#include "cli/plan_file.h"
#include "core/error.h"
#include "core/files.h"
#include "methods/blocks.h"
#include "onnx/onnx.h"
#include "report/format.h"

namespace coppice {
namespace {

struct Options {
  std::string plan, model, output;
  GivenOptions given;
};

OptionList options_of_apply() {
  return joined({{&kRecover, "none"}, {&kRecoverPictures}, {&kVerify}}, data_options());
}

// What recovering looks at; null where it is by the model alone.
Measure measure_of(const Settings& settings, const Graph& graph, const Invocation& run) {
  const int64_t pictures = pictures_to_recover_by(settings);
  if (pictures == 0) return {};
  const DataChoice data = data_of(settings);
  Judge judge(data, data.open(Split::test), graph, run);
  return Measuring(judge, pictures, run).measure();
}

void require_use_of_data(const Settings& settings) {
  pictures_to_recover_by(settings);
  const bool looks = settings[kRecover].any();
  for (const OptionUse& use : data_options()) {
    if (looks || !settings.has(*use.option)) continue;
    fail_usage(use.option->flag() + " is for what --recover looks at; add --recover all");
  }
}

std::string command_again(const Options& options, const Settings& settings,
                          const CommonOptions& common) {
  std::string command = "coppice apply " + shell_quoted(options.plan) + " " +
                        shell_quoted(options.model) + " -o " + shell_quoted(options.output);
  for (const auto& [name, value] : settings.decisive()) {
    command += " " + name + " " + shell_quoted(value);
  }
  if (common.seed != 0) command += " --seed " + std::to_string(common.seed);
  return command;
}

Result apply(const Options& options, const Invocation& run) {
  const auto start = std::chrono::steady_clock::now();
  const Settings settings = options.given.settings(options_of_apply());
  require_use_of_data(settings);
  std::future<std::string> sha256 = model_sha256(options.model, run.options.seed);
  const Plan plan = read_plan(options.plan);
  Places places(run.options);
  places.reads_model(options.model);
  places.reads(options.plan);
  places.reads_data(data_of(settings).spec);
  for (const auto& mask : mask_paths(plan, options.plan)) places.reads(mask);
  AtomicFile file(places.writes("-o", options.output));
  const Model model = load_model(options.model, run.options.seed);
  RecoverOptions recover = settings[kRecover];
  recover.measure = measure_of(settings, model.graph, run);
  Outcome outcome = within("plan '" + options.plan + "'", [&] {
    return apply_plan(model.graph, plan, settings[kVerify], run.options.seed, recover);
  });
  const bool same_model = made_for(plan, sha256.get());
  if (!same_model) run.console.remark(remark_on(plan, options.plan, options.model));
  if (const std::string given = data_of(settings).preprocess; !given.empty()) {
    set_metadata(outcome.graph, kPreprocessKey, to_string(parse_preprocessing(given)));
  }
  write_onnx(outcome.graph, file, places.taken());
  file.commit();
  CutSummary summary = summarise(model, outcome);
  summary.output = options.output;
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  summary.command = command_again(options, settings, run.options);
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
  options->given.add(app, options_of_apply());
  add_common_options(app, common);
  return [options](Invocation& run) { return apply(*options, run); };
}

}  // namespace coppice
