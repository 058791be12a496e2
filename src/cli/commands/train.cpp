// coppice train: trains a model from its weights as they are, and writes it.
#include "tasks/train.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "report/format.h"
#include "session/options/data_options.h"
#include "texts/cut_summary.h"

namespace coppice {
namespace {

struct Options {
  std::string model, output;
  bool resume = false;
  GivenOptions given;
};

TrainRequest request_of(const Options& options) {
  return {.model = options.model,
          .output = options.output,
          .settings = options.given.settings(options_of_train()),
          .resume = options.resume};
}

Result train(const Options& options, Invocation& run) {
  TrainRequest request = request_of(options);
  request.common = run.common();
  const TrainReport report = train(request, static_cast<Watcher&>(run));
  std::string text = "trained " + printable(options.model) + " for " +
                     with_separators(report.epochs) + " epochs\n";
  if (report.judged) {
    text += report.judged_by + ": top-1 " + percentage(report.judged->top1) + ", loss " +
            significant(report.judged->loss, 5) + "\n";
  }
  text += density_line(report.density) + stored_line(report.stored);
  run.console.print(text + "wrote " + printable(options.output) + "\n");
  return {.json = to_json(report)};
}

}  // namespace

Action define_train(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_output(app, options->output);
  options->given.add(app, options_of_train());
  options->given.require(kData);
  add_resume(app, options->resume);
  add_common_options(app, common);
  app.parse_complete_callback([options, &common] {
    check(request_of(*options));  // what is wrong is said before a run begins
    keep_run_beside(options->output, common);
  });
  return [options](Invocation& run) { return train(*options, run); };
}

}  // namespace coppice
