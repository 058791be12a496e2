// See prune.h. Latency is measured last, and the models are read or moved into it one after the
// other: peak memory stays near twice the model's size.
#include "tasks/prune.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/files.h"
#include "methods/options/blocks.h"
#include "methods/rewrite.h"
#include "model/plan_file.h"
#include "onnx/onnx.h"
#include "report/format.h"
#include "tasks/parts/latency.h"
#include "tasks/parts/measuring.h"
#include "tasks/parts/output_path.h"
#include "tasks/parts/training.h"
#include "tasks/sensitivity/table_file.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

void require_consistent_training(const PruneRequest& request, const Method& method,
                                 const Settings& settings) {
  if (settings.has(kEpochs)) {
    require_consistent(settings);
    if (settings.has(kData)) return;
    fail_usage("--epochs " + std::to_string(settings[kEpochs]) +
               ": training needs --data, for example cifar10:DIR; 'coppice data' lists the forms");
  }
  if (method.decides_in_training(settings)) {
    fail_usage("--method " + method.name + (method.prune ? " with these options" : "") +
               " trains: add --data SPEC and --epochs N");
  }
  if (request.resume) {
    fail_usage("--resume goes on with training; add the --epochs that the run began with");
  }
  for (const OptionUse& use : training_options()) {
    if (!settings.has(*use.option)) continue;
    fail_usage(use.option->flag() + " is for training; add --epochs N to train afterwards");
  }
}

int64_t images_to_decide_by(const Method& method, const Settings& settings) {
  return method.images ? method.images(settings) : 0;
}

void require_images(const Method& method, const Settings& settings) {
  if (images_to_decide_by(method, settings) == 0 || settings.has(kData)) return;
  fail_usage("--method " + method.name +
             " looks at how channels respond to images: add --data, for example cifar10:DIR; "
             "'coppice data' lists the forms");
}

Settings settled(const PruneRequest& request, const Method& method) {
  Settings settings = request.settings;
  if (settings.options().empty()) settings = Settings(options_of(method));
  if (method.settle) method.settle(settings);
  require_images(method, settings);
  require_consistent_training(request, method, settings);
  images_to_recover_by(settings);  // says what is wrong with them
  return settings;
}

// The shell command with every option that isn't at its default, wherever it came from.
std::string command_again(const PruneRequest& request, const Settings& settings) {
  std::string command = "coppice prune " + shell_quoted(request.model);
  const auto add = [&](const std::string& name, const std::string& value) {
    command += " " + name + (value.empty() ? "" : " " + shell_quoted(value));
  };
  add("-o", request.output);
  add("--method", request.method);
  for (const auto& [name, value] : settings.decisive()) add(name, value);
  if (!request.plan.empty()) add("--plan", request.plan);
  if (!request.latency) add("--latency", "off");
  if (request.common.seed != 0) add("--seed", std::to_string(request.common.seed));
  if (request.threads != 0) add("--threads", std::to_string(request.threads));
  return command;
}

// One run: what it was told, checked before anything is read.
struct Pruning {
  const PruneRequest& request;
  const Method& method;
  const Settings settings;
  const CommonRequest common;
  Watcher& watcher;
  std::shared_ptr<const SensitivityTable> sensitivity = {};

  Pruning(const PruneRequest& given, Watcher& watching)
      : request(given),
        method(find_method(given.method)),
        settings(settled(given, method)),
        common(trains() ? with_run_folder(given.common, given.output) : given.common),
        watcher(watching) {}
  bool trains() const { return settings.has(kEpochs); }
  MethodInput input(const std::optional<Measuring>& measuring) const {
    return {.settings = settings,
            .seed = common.seed,
            .measure = measuring ? measuring->on(images_to_decide_by(method, settings)) : Measure{},
            .recovering = measuring ? measuring->on(images_to_recover_by(settings)) : Measure{},
            .sensitivity = sensitivity,
            .remark = [this](const std::string& text) { watcher.remark(text); },
            .warn = [this](const std::string& text) { watcher.warn(text); }};
  }
};

Places places_of(const Pruning& pruning) {
  Places places(pruning.common);
  places.reads_model(pruning.request.model);
  places.reads_data(data_of(pruning.settings).spec);
  if (const auto table = pruning.settings.given(kSensitivity)) places.reads(*table);
  return places;
}

std::string plan_path(const PruneRequest& request, const std::filesystem::path& model_path) {
  if (!request.plan.empty()) return request.plan;
  return usual_plan_path(model_path).lexically_normal().string();
}

// The model and the plan, open from the beginning, so that a place that can't be written to is
// known at once.
struct Outputs {
  Places places;
  std::filesystem::path model_path;
  AtomicFile model;
  PlanFile plan;

  explicit Outputs(const Pruning& pruning)
      : places(places_of(pruning)),
        model_path(places.writes("-o", pruning.request.output)),
        model(model_path),
        plan(places.writes("--plan", plan_path(pruning.request, model_path)),
             model_path.filename().string()) {
    if (pruning.method.kind == Method::Kind::unstructured) {
      places.replaces_folder("the folder of masks", plan.mask_folder());
      plan.expect_masks();
    }
    places.reads(plan.mask_folder());
  }
};

// What judges before and after, if there are data. A net that isn't a classifier can still follow
// its original's outputs.
std::optional<Judge> judge_of(const Pruning& pruning, const Graph& graph) {
  if (data_of(pruning.settings).spec.empty()) return std::nullopt;
  return open_judge(pruning.settings, graph, pruning.trains() ? Fit::targets : Fit::classifier,
                    pruning.watcher);
}

void write(Outputs& outputs, const Graph& graph, const Plan& plan, Watcher& watcher) {
  write_onnx(graph, outputs.model, outputs.places.taken());
  outputs.plan.write(plan);
  stop_if_requested(watcher);
  outputs.model.commit();
  outputs.plan.commit();
}

// The original is moved in and compiled before the cut one is read back: never are two copies of
// both in memory.
void measure_latency(Graph original, const std::filesystem::path& cut, const Pruning& pruning,
                     CutSummary& summary) {
  try {
    // One thread, unless asked: several that wait for each other time the machine's other work.
    const Target target{.threads = static_cast<int>(std::max<int64_t>(1, pruning.request.threads))};
    std::vector<Executable> models;
    models.push_back(compile(std::move(original), {}, target));
    models.push_back(compile(read_onnx(cut), {}, target));
    const auto latencies = measure_latencies(models, pruning.common.seed, pruning.watcher);
    summary.before.latency = latencies[0];
    summary.after.latency = latencies[1];
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    pruning.watcher.warn(std::string("latency not measured: ") + error.what());
  }
}

TrainingChoice choice_of(const Pruning& pruning, const std::string& sha256) {
  const bool better = pruning.method.original == Method::Original::is_made_better;
  return {.settings = pruning.settings,
          .start = start_of(pruning.request.model, better ? Start::trained : Start::pruned),
          .request = request_of("prune", sha256, pruning.settings, pruning.common.seed,
                                {{"--method", pruning.request.method}}),
          .resume = pruning.request.resume};
}

constexpr char kDoing[] = "evaluating the pruned model";

// What deciding and recovering look at, if they are to look at images.
std::optional<Measuring> measuring_of(const Pruning& pruning, std::optional<Judge>& judge) {
  std::optional<Measuring> measuring;
  const int64_t images = std::max(images_to_decide_by(pruning.method, pruning.settings),
                                  images_to_recover_by(pruning.settings));
  if (images > 0) measuring.emplace(*judge, images, pruning.watcher);
  return measuring;
}

// What came of a pruning, and of judging it.
struct Pruned {
  Outcome outcome = {};
  std::optional<Evaluation> before = {}, after = {};
  Json training = {};
  std::optional<TrainedModel> trained = {};
};

Pruned prune_in_training(const Pruning& pruning, const Graph& original, Judge& judge,
                         std::optional<Measuring>& measuring, const std::string& sha256) {
  Pruned pruned;
  Outcome& outcome = pruned.outcome;
  pruned.trained = train_and_judge(
      choice_of(pruning, sha256), original, judge, {.doing = kDoing}, pruning.common,
      pruning.watcher, [&](Session& session, const Recipe& recipe) {
        if (measuring) measuring->only(session.images(Part::training));
        outcome = run_in_training(pruning.method, session, recipe, pruning.input(measuring));
        rewrite(outcome, pruning.settings, pruning.common.seed);
        return std::exchange(outcome.graph, {});
      });
  TrainedModel& trained = *pruned.trained;
  outcome.graph = std::exchange(trained.graph, {});
  pruned.before = trained.before;
  pruned.after = trained.after;
  pruned.training = std::move(trained.training);
  for (const auto& [name, count] : outcome.facts) pruned.training[name] = count;
  return pruned;
}

// Test data are read last, and once.
Pruned prune_alone(const Pruning& pruning, const Graph& original, const Judge* judge,
                   const std::optional<Measuring>& measuring) {
  Pruned pruned{.outcome = pruning.method.prune(original, pruning.input(measuring))};
  Graph& graph = pruned.outcome.graph;
  rewrite(pruned.outcome, pruning.settings, pruning.common.seed);
  const std::string preprocess = data_of(pruning.settings).preprocess;
  if (!preprocess.empty()) {
    set_metadata(graph, kPreprocessKey, to_string(parse_preprocessing(preprocess)));
  }
  if (!judge) return pruned;
  pruned.before =
      judge->evaluate_given(original, pruning.request.model, {.doing = "evaluating the original"});
  pruned.after = judge->evaluate_trained(graph, std::nullopt, {.doing = kDoing});
  return pruned;
}

CutSummary summary_of(const Pruning& pruning, const Model& model, const Pruned& pruned) {
  CutSummary summary = summarise(model, pruned.outcome);
  summary.trained = pruned.trained.has_value();
  summary.before.accuracy = pruned.before;
  summary.after.accuracy = pruned.after;
  summary.output = pruning.request.output;
  summary.command = command_again(pruning.request, pruning.settings);
  return summary;
}

Json settings_json(const Settings& settings) {
  Json json = Json::object();
  for (const auto& [name, value] : settings.resolved()) {
    if (!json.contains(name)) {
      json[name] = value;
    } else if (json[name].is_array()) {
      json[name].push_back(value);
    } else {
      json[name] = {json[name], value};
    }
  }
  return json;
}

}  // namespace

void check(const PruneRequest& request) { settled(request, find_method(request.method)); }

PruneReport prune(const PruneRequest& request, Watcher& watcher) {
  const auto start = Clock::now();
  Pruning pruning(request, watcher);
  Outputs outputs(pruning);
  std::future<std::string> sha256 = model_sha256(request.model, pruning.common.seed);
  Model model = load_model(request.model, pruning.common.seed);
  std::optional<Judge> judge = judge_of(pruning, model.graph);
  std::optional<Measuring> measuring = measuring_of(pruning, judge);
  const std::string sum = sha256.get();
  pruning.sensitivity =
      sensitivity_for(pruning.settings, {request.model, sum, request.method}, watcher);

  Pruned pruned = pruning.trains()
                      ? prune_in_training(pruning, model.graph, *judge, measuring, sum)
                      : prune_alone(pruning, model.graph, judge ? &*judge : nullptr, measuring);
  Plan& plan = pruned.outcome.plan;
  plan.model_file = std::filesystem::path(request.model).filename().string();
  plan.model_sha256 = sum;
  plan.output = outputs.plan.output();
  PruneReport report{.summary = summary_of(pruning, model, pruned), .settings = pruning.settings};
  write(outputs, pruned.outcome.graph, plan, watcher);
  if (pruned.trained) pruned.trained->finish();
  CutSummary& summary = report.summary;
  summary.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  summary.plan = outputs.plan.path().string();
  pruned.outcome.graph = {};
  if (const auto why = why_denser(summary.density)) watcher.warn(*why);
  if (request.latency) {
    measure_latency(std::move(model.graph), outputs.model_path, pruning, summary);
  }
  if (measuring) {
    report.looked_at = measuring->count(images_to_decide_by(pruning.method, pruning.settings));
    report.measured_images = measuring->count(images_to_recover_by(pruning.settings));
  }
  report.training = std::move(pruned.training);
  if (judge) {
    summary.judged_by = judge->by();
    report.judging = judge->to_json();
  }
  return report;
}

Json to_json(const PruneReport& report) {
  Json json = to_json(report.summary);
  json["settings"] = settings_json(report.settings);
  if (!report.training.is_null()) json["training"] = report.training;
  if (!report.judging.is_null()) json.update(report.judging);
  if (report.looked_at > 0) json["images"] = report.looked_at;
  if (report.measured_images > 0) json["recovered"]["images"] = report.measured_images;
  return json;
}

}  // namespace coppice
