// See prune.h. Latency is measured last, and the models are read or moved into it one after the
// other: peak memory stays near twice the model's size.
#include "tasks/prune.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "methods/options/blocks.h"
#include "methods/rewrite.h"
#include "methods/search/search_options.h"
#include "model/plan_file.h"
#include "model/provenance.h"
#include "onnx/onnx.h"
#include "prune/runtimes/opset.h"
#include "prune/runtimes/runtimes.h"
#include "report/run_folder.h"
#include "report/version.h"
#include "tasks/parts/engines/engine.h"
#include "tasks/parts/latency.h"
#include "tasks/parts/measuring.h"
#include "tasks/parts/output_path.h"
#include "tasks/parts/training.h"
#include "tasks/pruning/meter.h"
#include "tasks/pruning/settled.h"
#include "tasks/pruning/structure_file.h"
#include "tasks/pruning/tickets.h"
#include "tasks/runs/control_arms.h"
#include "tasks/sensitivity/table_file.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

// One run: what it was told, checked before anything is read.
struct Pruning {
  const PruneRequest& request;
  const Method& method;
  const Settings settings;
  const CommonRequest common;
  Watcher& watcher;
  const std::shared_ptr<const GivenStructure> structure;
  std::shared_ptr<const SensitivityTable> sensitivity = {};
  const std::shared_ptr<LatencyMeter> latency;
  Deliver deliver = {};  // as MethodInput has it

  Pruning(const PruneRequest& given, Watcher& watching)
      : request(given),
        method(find_method(given.method)),
        settings(settled(given, method)),
        common(trains() ? with_run_folder(given.common, given.output) : given.common),
        watcher(watching),
        structure(read_structure(settings, common.seed)),
        latency(meter_for(settings, method, given, watching)) {}
  // Also where no epochs are asked for: a session is what decides.
  bool trains() const { return settings.has(kEpochs) || method.decides_in_training(settings); }
  Measure recovering(const std::optional<Measuring>& measuring, Measuring::Share share) const {
    return measuring ? measuring->on(images_to_recover_by(settings), share) : Measure{};
  }
  // `classes`: the model has scores of them.
  MethodInput input(const std::optional<Measuring>& measuring, bool classes) const {
    return {.settings = settings,
            .seed = common.seed,
            .measure = measuring ? measuring->on(images_to_decide_by(method, settings)) : Measure{},
            .recovering = recovering(measuring, Measuring::Share::fitted),
            .judging = recovering(measuring, Measuring::Share::judging),
            .outputs = classes ? Outputs::classes : Outputs::numbers,
            .sensitivity = sensitivity,
            .latency = latency,
            .structure = structure,
            .remark = [this](const std::string& text) { watcher.remark(text); },
            .warn = [this](const std::string& text) { watcher.warn(text); },
            .deliver = deliver,
            .progress =
                [this, &measuring](const std::string& doing, const std::string& unit, int64_t done,
                                   int64_t total) {
                  if (measuring) measuring->stay_quiet();
                  watcher.progress({.doing = doing, .unit = unit, .done = done, .total = total});
                }};
  }
};

Places places_of(const Pruning& pruning) {
  Places places(pruning.common);
  places.reads_model(pruning.request.model);
  reads_for_training(places, pruning.settings);
  if (const auto table = pruning.settings.given(kSensitivity)) places.reads(*table);
  if (const auto table = pruning.settings.given(kLatencyTable)) places.reads(*table);
  reads_structure(places, pruning.structure.get());
  return places;
}

std::string plan_path(const PruneRequest& request, const std::filesystem::path& model_path) {
  if (!request.plan.empty()) return request.plan;
  return usual_plan_path(model_path).lexically_normal().string();
}

// The model and the plan, open from the beginning, so that a place that can't be written to is
// known at once.
struct OutputFiles {
  Places places;
  std::filesystem::path model_path;
  AtomicFile model;
  PlanFile plan;

  explicit OutputFiles(const Pruning& pruning)
      : places(places_of(pruning)),
        model_path(places.writes("-o", pruning.request.output, ".onnx")),
        model(model_path),
        plan(places.writes("--plan", plan_path(pruning.request, model_path), ".json"),
             model_path.filename().string()) {
    const bool given = pruning.structure && pruning.structure->plan;
    if (pruning.method.kind == Method::Kind::unstructured ||
        (given && !pruning.structure->plan->masks.empty())) {
      places.replaces_folder("the folder of masks", plan.mask_folder());
      plan.expect_masks();
    }
    places.reads(plan.mask_folder());
  }
};

// Without labels, to decide or to recover, because somebody wants that.
bool looks_at_images(const Pruning& pruning) {
  return images_to_decide_by(pruning.method, pruning.settings) > 0 ||
         (images_to_recover_by(pruning.settings) > 0 && !pruning.request.recovers_unasked);
}

// What judges before and after, if there are data. A net that isn't a classifier can still follow
// its original's outputs.
std::optional<Judge> judge_of(const Pruning& pruning, const Graph& graph) {
  if (data_of(pruning.settings).spec.empty()) return std::nullopt;
  const Fit alone = looks_at_images(pruning) ? Fit::unchecked : Fit::classifier;
  return open_judge(pruning.settings, graph, pruning.trains() ? Fit::targets : alone,
                    pruning.watcher);
}

void write(OutputFiles& outputs, const Graph& graph, const Plan& plan, Watcher& watcher) {
  write_onnx(graph, outputs.model, outputs.places.taken());
  outputs.plan.write(plan);
  stop_if_requested(watcher);
  outputs.model.commit();
  outputs.plan.commit();
}

// Those of many rows, beside the model: small.candidates.json beside small.onnx.
void write_tables(const std::vector<ResultTable>& tables, OutputFiles& outputs, Watcher& watcher) {
  for (const ResultTable& table : tables) {
    if (table.shown != ResultTable::Shown::in_file) continue;
    std::filesystem::path path = outputs.model_path;
    path.replace_extension(table.key + ".json");
    AtomicFile file(outputs.places.writes("the table '" + table.key + "'", path.string()));
    file.write(dumped(to_json(table), 1) + "\n");
    file.commit();
    watcher.remark("wrote '" + path.string() + "', a row for each");
  }
}

// What it brings where it is deployed, and a warning where that is nothing.
std::optional<RuntimeFit> fit_of(const Pruning& pruning, const Graph& original,
                                 const Outcome& outcome) {
  if (outcome.plan.slices.empty()) return std::nullopt;
  const auto fit = fit_of(original, outcome.graph, outcome.types, *pruning.settings[kFor]);
  const std::string remark = opset_remark(outcome.graph, *pruning.settings[kFor]);
  if (!remark.empty()) pruning.watcher.remark(remark);
  const auto why = fit ? why_slow(*fit) : std::nullopt;
  if (!why) return fit;
  const bool told = pruning.settings.has(kRoundTo) && pruning.settings[kRoundTo] != kRoundAuto;
  pruning.watcher.warn(*why + (told ? "; '--round-to auto' keeps to such widths" : ""));
  return fit;
}

// The original is moved in and compiled before the cut one is read back: never are two copies of
// both in memory.
void measure_latency(Graph original, const std::filesystem::path& cut, const Pruning& pruning,
                     CutSummary& summary) {
  try {
    require_floats(original);
    const Target target{.threads = latency_threads(pruning.request)};
    std::vector<Executable> models;
    models.push_back(compile(std::move(original), {}, target));
    models.push_back(compile(read_onnx(cut), {}, target));
    const auto latencies = measure_latencies(models, pruning.common.seed, pruning.watcher);
    summary.before.latency = latencies[0];
    summary.after.latency = latencies[1];
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::target) throw;
    pruning.watcher.warn(std::string("latency not measured: ") + error.what());
  }
}

// The same in the runtime that it is for, where that is installed.
void measure_deployed(const Graph& original, const std::string& cut, const Pruning& pruning,
                      CutSummary& summary) {
  const TimingEngine* const engine = engine_for(*pruning.settings[kFor]);
  if (!engine) return;
  try {
    auto running = RunningEngine::start(*engine);
    if (!running) return;
    const EngineModel models[] = {{pruning.request.model, original, {}}, {cut, original, {}}};
    const int threads = static_cast<int>(std::max<int64_t>(1, pruning.request.threads));
    const auto found = running->measure(models, threads, pruning.common.seed, pruning.watcher);
    summary.engine = running->version();
    summary.before.deployed = found[0];
    summary.after.deployed = found[1];
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    pruning.watcher.warn(std::string("latency not measured: ") + error.what());
  }
}

TrainingChoice choice_of(const Pruning& pruning, const std::string& sha256) {
  using Original = Method::Original;
  const Original original = pruning.method.original;
  Start start = original == Original::is_made_better ? Start::trained : Start::pruned;
  if (original == Original::is_left_aside) start = Start::untrained;
  Request more = {{"--method", pruning.request.method}};
  std::ranges::move(request_of_structure(pruning.structure.get(), pruning.common.seed),
                    std::back_inserter(more));
  std::ranges::move(request_of_shapes(pruning.common.input_shapes), std::back_inserter(more));
  return {.settings = pruning.settings,
          .start = start_of(pruning.request.model, start),
          .keeps = original != Original::is_left_aside,
          .request = request_of("prune", sha256, pruning.settings, pruning.common.seed, more),
          .resume = pruning.request.resume,
          .search_images = pruning.method.searches ? pruning.settings[kSearchImages] : 0};
}

// Of a plan that a structure was given by: what that one says.
std::string whose_structure(const Pruning& pruning) {
  if (pruning.method.kind == Method::Kind::dense) return "";
  const Method::Structure whose = pruning.method.whose_structure(pruning.settings);
  if (whose != Method::Structure::given) return name_of(whose);
  return pruning.structure && pruning.structure->plan ? pruning.structure->plan->structure : "";
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
  using Original = TrainingJudged::Original;
  const bool shown = pruning.request.judged;
  const TrainingJudged judged{
      .original = shown ? Original::judged : Original::left, .doing = kDoing, .result = shown};
  Pruned pruned;
  Outcome& outcome = pruned.outcome;
  pruned.trained =
      train_and_judge(choice_of(pruning, sha256), original, judge, judged, pruning.common,
                      pruning.watcher, [&](Session& session, const Recipe& recipe) {
                        if (measuring) measuring->only(session.images(Part::training));
                        outcome = run_in_training(pruning.method, session, recipe,
                                                  pruning.input(measuring, judge.judges()));
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
  const bool judges = judge && judge->judges();
  if (measuring) measuring->warn_at_chance(*judge, original, pruning.request.model);
  Pruned pruned{.outcome = pruning.method.prune(original, pruning.input(measuring, judges))};
  Graph& graph = pruned.outcome.graph;
  rewrite(pruned.outcome, pruning.settings, pruning.common.seed);
  const std::string preprocess = data_of(pruning.settings).preprocess;
  if (!preprocess.empty()) {
    set_metadata(graph, kPreprocessKey, to_string(parse_preprocessing(preprocess)));
  }
  if (judge && !judges) {
    pruning.watcher.remark("not judged by labels: " +
                           why_not_classifier(original, judge->dataset()).value_or(""));
  }
  if (!judges || !pruning.request.judged) return pruned;
  const EvaluationOptions how{.doing = "evaluating the original"};
  pruned.before = measuring ? judge->evaluate(original, how)
                            : judge->evaluate_given(original, pruning.request.model, how);
  pruned.after = judge->evaluate_trained(graph, std::nullopt, {.doing = kDoing});
  return pruned;
}

CutSummary summary_of(const Pruning& pruning, const Model& model, const Pruned& pruned) {
  CutSummary summary = summarise(model, pruned.outcome);
  summary.trained = pruning.settings.has(kEpochs);
  if (pruned.trained) summary.held_out = held_out_top1(pruned.training);
  summary.budget = budget_met(pruning.settings, summary);
  summary.before.accuracy = pruned.before;
  summary.after.accuracy = pruned.after;
  summary.output = pruning.request.output;
  summary.command = pruned.outcome.plan.command;
  return summary;
}

// The pruning's own row comes first.
std::vector<RunRow> rows_with(const ControlArms& controls, const PruneReport& report,
                              const Rival& rival, Watcher& watcher) {
  Json figures = figures_of_pruning(to_json(report));
  std::vector<RunRow> rows = {{.name = rival.request.method, .runs = {std::move(figures)}}};
  for (RunRow& row : controls.run(rival, watcher)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace

PruneReport prune(const PruneRequest& request, Watcher& watcher) {
  const auto start = Clock::now();
  Pruning pruning(request, watcher);
  OutputFiles outputs(pruning);
  std::future<std::string> sha256 = model_sha256(request.model, pruning.common.seed);
  Model model = load_model(request.model, pruning.common, watcher);
  std::optional<Judge> judge = judge_of(pruning, model.graph);
  std::optional<Measuring> measuring = measuring_of(pruning, judge);
  pruning.deliver = deliver_to(pruning.settings, outputs.places, judge ? &*judge : nullptr);
  const std::string sum = sha256.get();
  if (pruning.structure && pruning.structure->plan && !made_for(*pruning.structure->plan, sum)) {
    watcher.remark(remark_on(*pruning.structure->plan, pruning.structure->file, request.model));
  }
  pruning.sensitivity =
      sensitivity_for(pruning.settings, {request.model, sum, request.method}, watcher);

  PruneRequest settled_request = request;
  settled_request.settings = pruning.settings;
  settled_request.common = pruning.common;
  const ControlArms controls(settled_request, sum);
  Pruned pruned = pruning.trains()
                      ? prune_in_training(pruning, model.graph, *judge, measuring, sum)
                      : prune_alone(pruning, model.graph, judge ? &*judge : nullptr, measuring);
  Plan& plan = pruned.outcome.plan;
  plan.model_file = std::filesystem::path(request.model).filename().string();
  plan.model_sha256 = sum;
  plan.output = outputs.plan.output();
  plan.structure = whose_structure(pruning);
  plan.budget = budget_text(pruning.settings);
  plan.version = version();
  plan.command = command_again(request, pruning.settings);
  say_how_pruned(pruned.outcome.graph, plan);
  if (plan.recovered && measuring) {
    plan.recovered->images = measuring->count(images_to_recover_by(pruning.settings));
  }
  PruneReport report{.summary = summary_of(pruning, model, pruned),
                     .settings = pruning.settings,
                     .structure = plan.structure};
  report.regressed = std::move(pruned.outcome.regressed);
  if (!pruned.trained) report.facts = std::move(pruned.outcome.facts);
  write_tables(pruned.outcome.tables, outputs, watcher);
  write(outputs, pruned.outcome.graph, plan, watcher);
  if (pruned.trained && controls.none()) pruned.trained->finish();
  CutSummary& summary = report.summary;
  summary.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  summary.plan = outputs.plan.path().string();
  summary.fit = fit_of(pruning, model.graph, pruned.outcome);
  pruned.outcome.graph = {};
  if (const auto why = why_denser(summary.density)) watcher.warn(*why);
  const Graph original = controls.none() ? Graph{} : model.graph;  // shares its tensors
  if (request.latency) {
    measure_deployed(model.graph, outputs.model_path.string(), pruning, summary);
    measure_latency(std::move(model.graph), outputs.model_path, pruning, summary);
  }
  if (pruning.latency) report.latency = pruning.latency->found();
  if (measuring) {
    report.looked_at = measuring->count(images_to_decide_by(pruning.method, pruning.settings));
    report.measured_images = measuring->count(images_to_recover_by(pruning.settings));
  }
  report.training = std::move(pruned.training);
  if (judge) {
    summary.judged_by = judge->by();
    report.judging = judge->to_json();
  }
  if (controls.none()) return report;
  watcher.remark("wrote '" + request.output + "'; its controls follow");
  report.rows = rows_with(controls, report, {settled_request, summary.plan, original}, watcher);
  pruned.trained->finish();
  return report;
}

}  // namespace coppice
