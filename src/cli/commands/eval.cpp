// coppice eval: accuracy and loss of a classifier on the test part of a data set, or on all it has.
#include <CLI/CLI.hpp>
#include <limits>

#include "cli/commands/commands.h"
#include "cli/given_options.h"
#include "cli/judge.h"
#include "cli/model.h"
#include "core/error.h"
#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

struct Options {
  std::string model, engine = "runtime", device;
  GivenOptions given;
  int64_t batch = 0, limit = 0;
};

Result eval(const Options& options, const Invocation& run) {
  if (!options.device.empty() && options.engine != "train") {
    fail_usage("--device " + options.device +
               ": the runtime computes on the CPU; add --engine train, or leave --device out");
  }
  Model model = load_model(options.model, run.options.seed);
  const DataChoice data = data_of(options.given.settings(data_options()));
  std::unique_ptr<Dataset> pictures = data.open(Split::test);
  require_classifier(model.graph, *pictures);
  Judge judge(data, std::move(pictures), model.graph, run);
  judge.limit(options.limit);
  if (model.graph.outputs.size() > 1) {
    run.console.warn("the model has " + std::to_string(model.graph.outputs.size()) + " outputs; '" +
                     model.graph.value(model.graph.outputs.front()).name +
                     "', the first, is taken as the classes");
  }
  const Engine engine = options.engine == "train" ? Engine::train : Engine::runtime;
  EvaluationOptions evaluation{.engine = engine, .batch = options.batch};
  if (!options.device.empty()) evaluation.device = options.device;
  const Evaluation found = judge.evaluate_given(std::move(model.graph), options.model, evaluation);
  Table table({{"judged by"},
               {"top-1", Table::Align::right},
               {"top-5", Table::Align::right},
               {"loss", Table::Align::right},
               {"images", Table::Align::right},
               {"images/s", Table::Align::right}});
  table.add({judge.by(), percentage(found.top1), percentage(found.top5), significant(found.loss, 5),
             with_separators(found.images), short_count(found.images_per_second)});
  run.console.print(table.text());
  if (found.scores != ScoreKind::logits) {
    run.console.remark("the outputs are " + name_of(found.scores) +
                       ": the loss is their own, not " + "that of a softmax of them");
  }
  Json json = to_json(found);
  json["model"] = options.model;
  json["data"] = judge.data().spec;
  json["engine"] = options.engine;
  json.update(judge.to_json());
  return {.json = json};
}

}  // namespace

Action define_eval(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<Options>();
  add_model(app, options->model);
  options->given.add(app, data_options());
  options->given.require(kData);
  add_count(app, "--batch", options->batch, kMostBatch, "pictures at once (default: up to 100)");
  add_count(app, "--limit", options->limit, std::numeric_limits<int64_t>::max(),
            "only N of the pictures, drawn at random, but always the same ones");
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
