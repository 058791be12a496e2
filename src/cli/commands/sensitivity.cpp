// coppice sensitivity: what each group is worth, as curves, or unit by unit beside what the
// criteria say.
#include "tasks/sensitivity/sensitivity.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "session/options/data_options.h"
#include "texts/sensitivity.h"

namespace coppice {
namespace {

struct Options {
  std::string model, output;
  GivenOptions given;
};

SensitivityRequest request_of(const Options& options) {
  return {.model = options.model,
          .output = options.output,
          .settings = options.given.settings(options_of_sensitivity())};
}

Result sensitivity(const Options& options, Invocation& run) {
  SensitivityRequest request = request_of(options);
  request.common = run.common();
  const SensitivityReport report = sensitivity(request, static_cast<Watcher&>(run));
  run.console.print(text_of(report, request.settings[kRatios]));
  for (const CriterionCorrelation& found : report.correlations) {
    if (!found.why_not.empty()) run.console.remark(found.criterion + ": " + found.why_not);
  }
  return {.json = to_json(report)};
}

}  // namespace

Action define_sensitivity(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  options->given.add(app, options_of_sensitivity());
  options->given.require(kData);
  app.add_option("-o,--output", options->output,
                 "the .json file that keeps what is measured, for\n"
                 "'coppice prune --allocate sensitivity', and so that the\n"
                 "same command goes on with it")
      ->type_name("FILE");
  add_common_options(app, common);
  app.parse_complete_callback([options] { check(request_of(*options)); });
  return [options](Invocation& run) { return sensitivity(*options, run); };
}

}  // namespace coppice
