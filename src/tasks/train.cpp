// See train.h.
#include "tasks/train.h"

#include "core/files.h"
#include "graph/passes/halves.h"
#include "model/load.h"
#include "onnx/onnx.h"
#include "tasks/parts/output_path.h"
#include "tasks/parts/training.h"

namespace coppice {

OptionList options_of_train() {
  return joined(data_options(), changed(training_options(), {&kEpochs, "10"}));
}

void check(const TrainRequest& request) { require_consistent(request.settings); }

TrainReport train(const TrainRequest& request, Watcher& watcher) {
  check(request);
  const Settings& settings = request.settings;
  const CommonRequest common = with_run_folder(request.common, request.output);
  const std::string data = data_of(settings).spec;
  Places places(common);
  places.reads_model(request.model);
  reads_for_training(places, settings);
  AtomicFile file(places.writes("-o", request.output, ".onnx"));
  std::future<std::string> sha256 = model_sha256(request.model, common.seed);
  const Model model = load_model(request.model, common, watcher);
  Judge judge = open_judge(settings, model.graph, Fit::unchecked, watcher);
  const TrainingChoice choice{.settings = settings,
                              .start = start_of(request.model, Start::trained),
                              .request = request_of("train", sha256.get(), settings, common.seed,
                                                    request_of_shapes(common.input_shapes)),
                              .resume = request.resume};
  TrainedModel trained =
      train_and_judge(choice, model.graph, judge, {.original = TrainingJudged::Original::left},
                      common, watcher, [](Session& session, const Recipe& recipe) {
                        session.stage("training", [&] { session.train(recipe); });
                        return session.graph();
                      });
  TrainReport report{.model = request.model,
                     .output = request.output,
                     .data = data,
                     .epochs = settings[kEpochs],
                     .density = density_change(model.graph, trained.graph),
                     .judged = trained.after,
                     .judged_by = judge.by(),
                     .stored = name_of_halves(model.graph),
                     .training = std::move(trained.training),
                     .judging = judge.to_json()};
  if (const auto why = why_denser(report.density)) watcher.warn(*why);
  write_onnx(trained.graph, file, places.taken());
  stop_if_requested(watcher);
  file.commit();
  trained.finish();
  return report;
}

Json to_json(const TrainReport& report) {
  Json json = {{"model", report.model}, {"output", report.output}, {"data", report.data}};
  json["training"] = report.training;
  json.update(report.judging);
  json["before"] = to_json(report.density.before);
  json["after"] = to_json(report.density.after);
  json["denser"] = report.density.denser();
  if (!report.stored.empty()) json["stored"] = report.stored;
  if (report.judged) json["judged"] = to_json(*report.judged);
  return json;
}

}  // namespace coppice
