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
#include "cli/commands/method_options.h"
#include "cli/commands/prune_in_training.h"
#include "cli/cut_summary.h"
#include "cli/interrupt.h"
#include "cli/judge.h"
#include "cli/latency.h"
#include "cli/output_path.h"
#include "cli/plan_file.h"
#include "core/error.h"
#include "core/files.h"
#include "graph/cost.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/simplify.h"
#include "methods/rescale_dropout.h"
#include "onnx/onnx.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

Places places_of(const PruneOptions& options, const Invocation& run) {
  Places places(run.options);
  places.reads_model(options.model);
  places.reads_data(options.data);
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

  Outputs(const PruneOptions& options, const Invocation& run)
      : places(places_of(options, run)),
        model_path(places.writes("-o", options.output)),
        model(model_path),
        plan(places.writes("--plan", plan_path(options, model_path)),
             model_path.filename().string()) {
    if (find_method(options.method).kind == Method::Kind::unstructured) {
      places.replaces_folder("the folder of masks", plan.mask_folder());
      plan.expect_masks();
    }
    places.reads(plan.mask_folder());
  }
};

// What the options ask for, checked before anything is read; empty for a method that decides while
// it trains.
std::function<Outcome(const Graph&)> method_of(const PruneOptions& options, uint64_t seed) {
  const Method& method = find_method(options.method);
  require_fitting(options, method);
  if (prunes_in_training(options)) {
    require_valid(options, seed);
    return {};
  }
  if (method.kind == Method::Kind::unstructured) {
    const auto verify = options.verify ? OneShotOptions::Verify::on : OneShotOptions::Verify::off;
    return [verify, magnitude = magnitude_options(options)](const Graph& graph) {
      return prune_by_magnitude(graph, magnitude, verify);
    };
  }
  return [&method, one_shot = one_shot_options(options, seed)](const Graph& graph) {
    return prune_once(graph, method, one_shot);
  };
}

// What judges before and after, if there is --data.
std::optional<Judge> judge_of(const PruneOptions& options, const Graph& graph,
                              const Invocation& run) {
  std::optional<Judge> judge;
  if (options.data.empty()) return judge;
  const DataChoice data{options.data, options.preprocess, options.label_offset};
  std::unique_ptr<Dataset> pictures = data.open(Split::test);
  // A net that isn't a classifier can still follow its original's outputs.
  if (options.training.epochs > 0) {
    require_targets(graph, *pictures, options.training.distillation);
  } else {
    require_classifier(graph, *pictures);
  }
  judge.emplace(data, std::move(pictures), graph, run);
  return judge;
}

// Test data are read last, and once.
void judge_both(const Judge& judge, const PruneOptions& options, const Graph& original,
                const Graph& pruned, std::optional<double> held_out, CutSummary& summary) {
  if (why_not_classifier(original, judge.dataset())) return;
  EvaluationOptions evaluation{.doing = "evaluating the original"};
  // What was trained on here was looked at before that.
  summary.before.accuracy = options.training.epochs > 0
                                ? judge.evaluate(original, evaluation)
                                : judge.evaluate_given(original, options.model, evaluation);
  summary.after.accuracy =
      judge.evaluate_trained(pruned, held_out, {.doing = "evaluating the pruned model"});
  summary.judged_by = judge.by();
}

// Passes that change how the result is written, not what it computes; that is compared once more.
void rewrite(Outcome& outcome, const PruneOptions& options, uint64_t seed) {
  if (!options.fold_bn && !options.simplify) return;
  const Graph before = outcome.graph;
  if (options.simplify) simplify(outcome.graph);
  if (options.fold_bn) fuse_batch_norms(outcome.graph);
  outcome.after = costs_of(outcome.graph, infer(outcome.graph, fitting_sizes(outcome.graph, {})));
  if (!outcome.proof) return;
  const Comparison comparison =
      compare(before, outcome.graph, outcome.proof->comparison.sizes, seed);
  if (comparison.equal()) return;
  throw Error(ErrorKind::internal,
              "--fold-bn or --simplify changed the outputs by " + std::to_string(comparison.error) +
                  " of the largest, expected at most " + std::to_string(comparison.allowed()) +
                  "; nothing was written; please report this model");
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

Result prune(const PruneOptions& options, const Invocation& run) {
  const auto start = Clock::now();
  const auto prune_by_method = method_of(options, run.options.seed);
  require_consistent_training(options, find_method(options.method));
  std::string preprocess;
  if (!options.preprocess.empty()) {
    preprocess = to_string(parse_preprocessing(options.preprocess));
  }
  Outputs outputs(options, run);
  std::future<std::string> sha256 = model_sha256(options.model, run.options.seed);
  Model model = load_model(options.model, run.options.seed);
  std::optional<Judge> judge = judge_of(options, model.graph, run);
  const std::string sum = sha256.get();

  Outcome outcome;
  Json training;
  std::optional<TrainingRun> trained;
  if (options.training.epochs > 0) {
    trained.emplace(options.training, start_of(options), model.graph, *judge,
                    request_of(options, sum, run.options), run);
    const Session& session = trained->session();
    judge->hold_out(session.held_out());
    if (!session.kept().empty()) {
      run.console.remark(kept_line(session.kept(), session.original()));
    }
    outcome = prune_by_method
                  ? prune_and_train(trained->session(), prune_by_method, trained->recipe())
                  : prune_in_training(options, *trained, run);
    training = trained->to_json();
    if (options.method == "deep-compression") training["dropouts"] = count_dropouts(model.graph);
    preprocess = to_string(judge->preprocessing());
  } else {
    outcome = prune_by_method(model.graph);
  }
  rewrite(outcome, options, run.options.seed);
  if (!preprocess.empty()) set_metadata(outcome.graph, kPreprocessKey, preprocess);
  outcome.plan.model_file = std::filesystem::path(options.model).filename().string();
  outcome.plan.model_sha256 = sum;
  outcome.plan.output = outputs.plan.output();
  CutSummary summary = summarise(model, outcome);
  summary.trained = trained.has_value();
  const std::optional<double> held_out = trained ? trained->held_out_top1() : std::nullopt;
  if (judge) judge_both(*judge, options, model.graph, outcome.graph, held_out, summary);
  write(outputs, outcome.graph, outcome.plan);
  if (trained) trained->finish();
  trained.reset();
  summary.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  outcome.graph = {};

  summary.output = options.output;
  summary.plan = outputs.plan.path().string();
  summary.command = command_again(options, run.options);
  if (options.latency) measure_latency(std::move(model.graph), outputs.model_path, summary, run);
  print(summary, run.console);
  Json json = to_json(summary);
  if (!training.is_null()) json["training"] = training;
  if (judge) json.update(judge->to_json());
  return {.json = json};
}

}  // namespace

Action define_prune(CLI::App& app, CommonOptions& common) {
  const auto options = std::make_shared<PruneOptions>();
  add_prune_options(app, *options);
  add_common_options(app, common);
  app.parse_complete_callback([options, &common] {
    if (options->training.epochs > 0 && common.run_folder.empty()) {
      common.run_folder = default_run_folder(options->output);
    }
  });
  return [options](Invocation& run) { return prune(*options, run); };
}

}  // namespace coppice
