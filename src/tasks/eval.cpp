// See eval.h.
#include "tasks/eval.h"

#include "core/error.h"
#include "model/load.h"
#include "tasks/parts/judge.h"

namespace coppice {

EvalReport eval(const EvalRequest& request, Watcher& watcher) {
  if (!request.device.empty() && request.engine != "train") {
    fail_usage("--device " + request.device +
               ": the runtime computes on the CPU; add --engine train, or leave --device out");
  }
  Model model = load_model(request.model, request.common, watcher);
  Judge judge = open_judge(request.settings, model.graph, Fit::classifier, watcher);
  judge.limit(request.limit);
  if (model.graph.outputs.size() > 1) {
    watcher.warn("the model has " + std::to_string(model.graph.outputs.size()) + " outputs; '" +
                 model.graph.value(model.graph.outputs.front()).name +
                 "', the first, is taken as the classes");
  }
  EvaluationOptions options{.engine = request.engine == "train" ? Engine::train : Engine::runtime,
                            .batch = request.batch};
  if (!request.device.empty()) options.device = request.device;
  return {.found = judge.evaluate_given(std::move(model.graph), request.model, options),
          .model = request.model,
          .data = judge.data().spec,
          .engine = request.engine,
          .judged_by = judge.by(),
          .judging = judge.to_json()};
}

Json to_json(const EvalReport& report) {
  Json json = to_json(report.found);
  json["model"] = report.model;
  json["data"] = report.data;
  json["engine"] = report.engine;
  json.update(report.judging);
  return json;
}

}  // namespace coppice
