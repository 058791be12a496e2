// coppice simplify: the same model with fewer nodes.
#include "tasks/forms/simplify.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "texts/simplification.h"

namespace coppice {
namespace {

struct Options {
  std::string model, output;
  GivenOptions given;
};

Result simplify(const Options& options, Invocation& run) {
  const SimplifyReport report = simplify({.model = options.model,
                                          .output = options.output,
                                          .settings = options.given.settings(options_of_simplify()),
                                          .common = run.common()},
                                         run);
  run.console.print(text_of(report));
  return {.json = to_json(report)};
}

}  // namespace

Action define_simplify(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_output(app, options->output);
  options->given.add(app, options_of_simplify());
  add_common_options(app, common);
  return [options](Invocation& run) { return simplify(*options, run); };
}

}  // namespace coppice
