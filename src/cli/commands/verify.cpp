// coppice verify: do two models give the same outputs on random inputs? With a plan: is the second
// what the plan makes of the first?
#include "tasks/verify.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "report/format.h"

namespace coppice {
namespace {

struct Options {
  std::string first, second, plan;
};

Result verify(const Options& options, Invocation& run) {
  const VerifyReport report = verify({.first = options.first,
                                      .second = options.second,
                                      .plan = options.plan,
                                      .common = run.common()},
                                     run);
  const Comparison& found = report.found;
  const std::string difference = "largest difference " + significant(found.error, 2) +
                                 " of the largest output, on random inputs of " + report.inputs;
  const std::string target =
      options.plan.empty() ? "'" + options.first + "'" : "'" + options.first + "' cut by the plan";
  if (!found.equal()) {
    return {to_json(report), "'" + options.second + "' differs from " + target + ": " + difference +
                                 ", expected at most " + significant(found.allowed(), 2)};
  }
  run.console.print("equal: '" + printable(options.second) + "' computes the same as " +
                    printable(target) + "; " + difference + "\n");
  if (report.by_plan) {
    run.console.print(report.by_plan->same_weights ? "weights: the same, bit for bit\n"
                                                   : "weights: not the same bits\n");
  }
  return {to_json(report)};
}

}  // namespace

Action define_verify(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  app.add_option("A", options->first, "a .onnx file, or zoo:NAME")->required();
  app.add_option("B", options->second, "the one to compare it with")->required();
  app.add_option("--plan", options->plan, "compare B with A cut by this plan")->type_name("FILE");
  add_common_options(app, common);
  return [options](Invocation& run) { return verify(*options, run); };
}

}  // namespace coppice
