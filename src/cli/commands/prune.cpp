// coppice prune: scores, cuts, proves, writes, and measures what it brought.
//
// Files appear together and only when everything that can fail has succeeded. Latency is measured
// after that, and the models are read or moved into it one after the other: peak memory stays near
// twice the model's size.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>

#include "cli/commands/commands.h"
#include "cli/commands/prune_options.h"
#include "cli/cut_summary.h"
#include "cli/interrupt.h"
#include "cli/judge.h"
#include "cli/latency.h"
#include "cli/measuring.h"
#include "cli/output_path.h"
#include "cli/plan_file.h"
#include "cli/training.h"
#include "core/error.h"
#include "core/files.h"
#include "methods/blocks.h"
#include "methods/rewrite.h"
#include "onnx/onnx.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

// One run of the command: what it was told, checked before anything is read.
struct Pruning {
  const PruneOptions& options;
  const Method& method;
  const Settings settings;
  const Invocation& run;

  Pruning(const PruneOptions& given, const Invocation& invocation)
      : options(given),
        method(find_method(given.method)),
        settings(settings_of(given, method)),
        run(invocation) {}
  bool trains() const { return settings.has(kEpochs); }
  MethodInput input(const std::optional<Measuring>& measuring) const {
    return {.settings = settings,
            .seed = run.options.seed,
            .measure = measuring ? measuring->measure() : Measure{},
            .remark = [this](const std::string& text) { run.console.remark(text); },
            .warn = [this](const std::string& text) { run.console.warn(text); }};
  }
};

Places places_of(const PruneOptions& options, const std::string& data, const Invocation& run) {
  Places places(run.options);
  places.reads_model(options.model);
  places.reads_data(data);
  return places;
}

std::string plan_path(const PruneOptions& options, const std::filesystem::path& model_path) {
  if (!options.plan.empty()) return options.plan;
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
      : places(places_of(pruning.options, data_of(pruning.settings).spec, pruning.run)),
        model_path(places.writes("-o", pruning.options.output)),
        model(model_path),
        plan(places.writes("--plan", plan_path(pruning.options, model_path)),
             model_path.filename().string()) {
    if (pruning.method.kind == Method::Kind::unstructured) {
      places.replaces_folder("the folder of masks", plan.mask_folder());
      plan.expect_masks();
    }
    places.reads(plan.mask_folder());
  }
};

// What judges before and after, if there is --data.
std::optional<Judge> judge_of(const Pruning& pruning, const Graph& graph) {
  std::optional<Judge> judge;
  const DataChoice data = data_of(pruning.settings);
  if (data.spec.empty()) return judge;
  std::unique_ptr<Dataset> pictures = data.open(Split::test);
  // A net that isn't a classifier can still follow its original's outputs.
  if (pruning.trains()) {
    require_targets(graph, *pictures, pruning.settings.given(kDistillation));
  } else {
    require_classifier(graph, *pictures);
  }
  judge.emplace(data, std::move(pictures), graph, pruning.run);
  return judge;
}

// Test data are read last, and once.
void judge_both(const Judge& judge, const Pruning& pruning, const Graph& original,
                const Graph& pruned, std::optional<double> held_out, CutSummary& summary) {
  if (why_not_classifier(original, judge.dataset())) return;
  EvaluationOptions evaluation{.doing = "evaluating the original"};
  // What was trained on here was looked at before that.
  summary.before.accuracy = pruning.trains()
                                ? judge.evaluate(original, evaluation)
                                : judge.evaluate_given(original, pruning.options.model, evaluation);
  summary.after.accuracy =
      judge.evaluate_trained(pruned, held_out, {.doing = "evaluating the pruned model"});
  summary.judged_by = judge.by();
}

void write(Outputs& outputs, const Graph& graph, const Plan& plan) {
  write_onnx(graph, outputs.model, outputs.places.taken());
  outputs.plan.write(plan);
  stop_if_interrupted();
  outputs.model.commit();
  outputs.plan.commit();
}

// The original is moved in and compiled before the cut one is read back: never are two copies of
// both in memory.
void measure_latency(Graph original, const std::filesystem::path& cut, CutSummary& summary,
                     const Invocation& run) {
  try {
    // One thread, unless asked: several that wait for each other time the machine's other work.
    const Target target{.threads = static_cast<int>(std::max<int64_t>(1, run.options.threads))};
    std::vector<Executable> models;
    models.push_back(compile(std::move(original), {}, target));
    models.push_back(compile(read_onnx(cut), {}, target));
    const auto latencies = measure_latencies(models, run.options.seed, run.console);
    summary.before.latency = latencies[0];
    summary.after.latency = latencies[1];
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    run.console.warn(std::string("latency not measured: ") + error.what());
  }
}

// What the training starts from.
Start start_of(const Pruning& pruning) {
  if (is_zoo_name(pruning.options.model)) return Start::untrained;
  return pruning.method.original == Method::Original::is_made_better ? Start::trained
                                                                     : Start::pruned;
}

TrainingChoice choice_of(const Pruning& pruning, const std::string& sha256) {
  return {.settings = pruning.settings,
          .start = start_of(pruning),
          .request = request_of(pruning.options, pruning.settings, sha256, pruning.run.options),
          .resume = pruning.options.resume};
}

Outcome train(const Pruning& pruning, TrainingRun& training, Judge& judge,
              std::optional<Measuring>& measuring) {
  Session& session = training.session();
  judge.hold_out(session.held_out());
  if (measuring) measuring->only(session.pictures(Part::training));
  if (!session.kept().empty()) {
    pruning.run.console.remark(kept_line(session.kept(), session.original()));
  }
  return run_in_training(pruning.method, session, training.recipe(), pruning.input(measuring));
}

Json report_of(const TrainingRun& training, const Outcome& outcome) {
  Json json = training.to_json();
  for (const auto& [name, count] : outcome.facts) json[name] = count;
  return json;
}

// The metadata that a model is given: what is known of its preprocessing.
std::string preprocessing_of(const Pruning& pruning, const std::optional<Judge>& judge) {
  if (judge && pruning.trains()) return to_string(judge->preprocessing());
  const std::string given = data_of(pruning.settings).preprocess;
  return given.empty() ? "" : to_string(parse_preprocessing(given));
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

// What recovering looks at, if it is to look at pictures.
std::optional<Measuring> measuring_of(const Pruning& pruning, std::optional<Judge>& judge) {
  std::optional<Measuring> measuring;
  const int64_t pictures = pictures_to_recover_by(pruning.settings);
  if (pictures > 0) measuring.emplace(*judge, pictures, pruning.run);
  return measuring;
}

Result prune(const PruneOptions& options, const Invocation& run) {
  const auto start = Clock::now();
  const Pruning pruning(options, run);
  pictures_to_recover_by(pruning.settings);  // says what is wrong with them before anything is read
  Outputs outputs(pruning);
  std::future<std::string> sha256 = model_sha256(options.model, run.options.seed);
  Model model = load_model(options.model, run.options.seed);
  std::optional<Judge> judge = judge_of(pruning, model.graph);
  std::optional<Measuring> measuring = measuring_of(pruning, judge);
  const std::string sum = sha256.get();

  Outcome outcome;
  Json training;
  std::optional<TrainingRun> trained;
  if (pruning.trains()) {
    trained.emplace(choice_of(pruning, sum), model.graph, *judge, run);
    outcome = train(pruning, *trained, *judge, measuring);
    training = report_of(*trained, outcome);
  } else {
    outcome = pruning.method.prune(model.graph, pruning.input(measuring));
  }
  rewrite(outcome, pruning.settings, run.options.seed);
  if (const std::string preprocess = preprocessing_of(pruning, judge); !preprocess.empty()) {
    set_metadata(outcome.graph, kPreprocessKey, preprocess);
  }
  outcome.plan.model_file = std::filesystem::path(options.model).filename().string();
  outcome.plan.model_sha256 = sum;
  outcome.plan.output = outputs.plan.output();
  CutSummary summary = summarise(model, outcome);
  summary.trained = trained.has_value();
  const std::optional<double> held_out = trained ? trained->held_out_top1() : std::nullopt;
  if (judge) judge_both(*judge, pruning, model.graph, outcome.graph, held_out, summary);
  write(outputs, outcome.graph, outcome.plan);
  if (trained) trained->finish();
  trained.reset();
  summary.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  outcome.graph = {};

  summary.output = options.output;
  summary.plan = outputs.plan.path().string();
  summary.command = command_again(options, pruning.settings, run.options);
  if (options.latency) measure_latency(std::move(model.graph), outputs.model_path, summary, run);
  print(summary, run.console);
  Json json = to_json(summary);
  json["settings"] = settings_json(pruning.settings);
  if (!training.is_null()) json["training"] = training;
  if (judge) json.update(judge->to_json());
  if (measuring) json["recovered"]["pictures"] = measuring->pictures();
  return {.json = json};
}

}  // namespace

Action define_prune(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<PruneOptions>();
  add_prune_options(app, *options);
  add_common_options(app, common);
  app.parse_complete_callback([options, &common] {
    settings_of(*options,
                find_method(options->method));  // what is wrong is said before a run begins
    if (options->given.has(kEpochs) && common.run_folder.empty()) {
      common.run_folder = default_run_folder(options->output);
    }
  });
  return [options](Invocation& run) { return prune(*options, run); };
}

}  // namespace coppice
