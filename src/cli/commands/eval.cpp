// coppice eval: accuracy and loss of a classifier on the test part of a data set, or on all it has.
#include "tasks/eval.h"

#include <CLI/CLI.hpp>
#include <limits>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "report/format.h"
#include "report/table.h"
#include "session/options/data_options.h"

namespace coppice {
namespace {

struct Options {
  std::string model, engine = "runtime", device;
  GivenOptions given;
  int64_t batch = 0, limit = 0;
};

Result eval(const Options& options, Invocation& run) {
  const EvalReport report = eval({.model = options.model,
                                  .settings = options.given.settings(data_options()),
                                  .engine = options.engine,
                                  .device = options.device,
                                  .batch = options.batch,
                                  .limit = options.limit,
                                  .common = run.common()},
                                 run);
  const Evaluation& found = report.found;
  Table table({{"judged by"},
               {"top-1", Table::Align::right},
               {"top-5", Table::Align::right},
               {"loss", Table::Align::right},
               {"images", Table::Align::right},
               {"images/s", Table::Align::right}});
  table.add({report.judged_by, percentage(found.top1), percentage(found.top5),
             significant(found.loss, 5), with_separators(found.images),
             short_count(found.images_per_second)});
  run.console.print(table.text());
  if (found.scores != ScoreKind::logits) {
    run.console.remark("the outputs are " + name_of(found.scores) +
                       ": the loss is their own, not that of a softmax of them");
  }
  return {.json = to_json(report)};
}

}  // namespace

Action define_eval(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  options->given.add(app, data_options());
  options->given.require(kData);
  add_count(app, "--batch", options->batch, kMostBatch, "images at once (default: up to 100)");
  add_count(app, "--limit", options->limit, std::numeric_limits<int64_t>::max(),
            "only N of the images, drawn at random, but always the same ones");
  app.add_option("--engine", options->engine,
                 "runtime (default), or train: LibTorch, as while training")
      ->check(CLI::IsMember({"runtime", "train"}).description(""))
      ->type_name("NAME");
  app.add_option("--device", options->device, "cpu (default) or cuda, for --engine train")
      ->check(CLI::IsMember({"cpu", "cuda"}).description(""));
  add_common_options(app, common);
  return [options](Invocation& run) { return eval(*options, run); };
}

}  // namespace coppice
