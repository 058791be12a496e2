// coppice train: trains a model from its weights as they are, and writes it.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/density.h"
#include "cli/given_options.h"
#include "cli/interrupt.h"
#include "cli/judge.h"
#include "cli/model.h"
#include "cli/output_path.h"
#include "cli/training.h"
#include "core/files.h"
#include "onnx/onnx.h"
#include "report/format.h"

namespace coppice {
namespace {

struct Options {
  std::string model, output;
  bool resume = false;
  GivenOptions given;
};

OptionList options_of_train() {
  return joined(data_options(), changed(training_options(), {&kEpochs, "10"}));
}

Request request_of(const Settings& settings, const std::string& sha256, const Invocation& run) {
  Request request = {{"command", "train"}, {"model", sha256}};
  for (auto& entry : settings.decisive()) request.push_back(std::move(entry));
  request.emplace_back("--seed", std::to_string(run.options.seed));
  return request;
}

Result train(const Options& options, const Invocation& run) {
  const Settings settings = options.given.settings(options_of_train());
  const DataChoice data = data_of(settings);
  Places places(run.options);
  places.reads_model(options.model);
  places.reads_data(data.spec);
  AtomicFile file(places.writes("-o", options.output));
  std::future<std::string> sha256 = model_sha256(options.model, run.options.seed);
  Model model = load_model(options.model, run.options.seed);
  Judge judge(data, data.open(Split::test), model.graph, run);
  const TrainingChoice choice{
      .settings = settings,
      .start = is_zoo_name(options.model) ? Start::untrained : Start::trained,
      .request = request_of(settings, sha256.get(), run),
      .resume = options.resume};
  TrainingRun training(choice, std::move(model.graph), judge, run);
  Session& session = training.session();
  judge.hold_out(session.held_out());
  if (!session.kept().empty()) {
    run.console.remark(kept_line(session.kept(), session.original()));
  }
  session.stage("training", [&] { session.train(training.recipe()); });
  Graph trained = session.graph();
  set_metadata(trained, kPreprocessKey, to_string(judge.preprocessing()));
  Json json = {{"model", options.model}, {"output", options.output}, {"data", data.spec}};
  json["training"] = training.to_json();
  json.update(judge.to_json());
  const DensityChange density = density_change(session.original(), trained);
  json["before"] = to_json(density.before);
  json["after"] = to_json(density.after);
  json["denser"] = density.denser();
  std::string text = "trained " + printable(options.model) + " for " +
                     with_separators(settings[kEpochs]) + " epochs\n";
  if (session.classes() > 0) {
    const Evaluation found = judge.evaluate_trained(trained, training.held_out_top1(), {});
    json["judged"] = to_json(found);
    text += std::string(judge.by()) + ": top-1 " + percentage(found.top1) + ", loss " +
            significant(found.loss, 5) + "\n";
  }
  text += density_line(density);
  warn_if_denser(density, run.console);
  write_onnx(trained, file, places.taken());
  stop_if_interrupted();
  file.commit();
  training.finish();
  run.console.print(text + "wrote " + printable(options.output) + "\n");
  return {.json = json};
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
    require_consistent(options->given.settings(options_of_train()));  // before a run begins
    if (common.run_folder.empty()) common.run_folder = default_run_folder(options->output);
  });
  return [options](Invocation& run) { return train(*options, run); };
}

}  // namespace coppice
