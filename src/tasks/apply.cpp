// See apply.h.
#include "tasks/apply.h"

#include <chrono>

#include "core/error.h"
#include "core/files.h"
#include "methods/options/blocks.h"
#include "methods/unstructured/reorder.h"
#include "model/plan_file.h"
#include "model/provenance.h"
#include "onnx/onnx.h"
#include "report/format.h"
#include "report/version.h"
#include "tasks/parts/measuring.h"
#include "tasks/parts/output_path.h"

namespace coppice {
namespace {

// What to recover, and by what.
RecoverOptions recovering_of(const Settings& settings, const Plan& plan, const Graph& graph,
                             const std::string& name, Watcher& watcher) {
  if (!settings.has(kRecover)) return repeated_recovery(plan);
  RecoverOptions recover = settings[kRecover];
  const int64_t images = images_to_recover_by(settings);
  if (images == 0) return recover;
  Judge judge = open_judge(settings, graph, Fit::unchecked, watcher);
  const Measuring measuring(judge, images, watcher);
  measuring.warn_at_chance(judge, graph, name);
  recover.measure = measuring.on(images, Measuring::Share::fitted);
  recover.judge = measuring.on(images, Measuring::Share::judging);
  recover.outputs = judge.judges() ? Outputs::classes : Outputs::numbers;
  return recover;
}

void require_use_of_data(const Settings& settings) {
  if (settings[kRecover].distill) {
    fail_usage(kRecover.flag() +
               " distill trains, which a plan can't say; give the options of the pruning again");
  }
  images_to_recover_by(settings);
  const bool looks = settings[kRecover].any();
  for (const OptionUse& use : data_options()) {
    if (looks || !settings.has(*use.option)) continue;
    fail_usage(use.option->flag() + " is for what --recover looks at; add --recover all");
  }
}

// What the plan's own model has that this one won't.
std::optional<std::string> recovery_left_out(const Plan& plan, const Settings& settings) {
  if (!plan.recovered || plan.recovered->kept.empty() || settings[kRecover].any() ||
      repeated_recovery(plan).any()) {
    return std::nullopt;
  }
  std::string steps;
  for (const std::string& step : plan.recovered->kept) steps += (steps.empty() ? "" : ",") + step;
  const int64_t images = plan.recovered->images;
  return "the plan's model was made up for what leaves by " + kRecover.flag() + " " + steps +
         (images > 0 ? " and " + std::to_string(images) + " images of --data" : "") +
         "; this one is cut alone, give them again to get the same";
}

std::string command_again(const ApplyRequest& request) {
  std::string command = "coppice apply " + shell_quoted(request.plan) + " " +
                        shell_quoted(request.model) + " -o " + shell_quoted(request.output);
  for (const auto& [name, value] : request.settings.decisive()) {
    command += " " + name + " " + shell_quoted(value);
  }
  if (request.common.seed != 0) command += " --seed " + std::to_string(request.common.seed);
  return command;
}

// What the result is to say: of the model that was cut here, and of who cut it.
Plan plan_on(const Plan& plan, const std::string& model_sha256) {
  Plan applied;
  applied.model_sha256 = model_sha256;
  applied.method = plan.method;
  applied.budget = plan.budget;
  applied.version = version();
  return applied;
}

}  // namespace

OptionList options_of_apply() {
  return joined({{&kRecover, "none", "",
                  "make up for what leaves: what the plan says, where that needs no images, "
                  "unless this says otherwise"},
                 {&kRecoverImages},
                 {&kVerify}},
                data_options());
}

RecoverOptions repeated_recovery(const Plan& plan) {
  if (!plan.recovered || plan.recovered->images > 0) return {};
  std::string steps;
  for (const std::string& step : plan.recovered->kept) steps += (steps.empty() ? "" : ",") + step;
  return steps.empty() ? RecoverOptions{} : kRecover.read(steps);
}

ApplyReport apply(const ApplyRequest& request, Watcher& watcher) {
  const auto start = std::chrono::steady_clock::now();
  const Settings& settings = request.settings;
  const uint64_t seed = request.common.seed;
  require_use_of_data(settings);
  std::future<std::string> sha256 = model_sha256(request.model, seed);
  const Plan plan = read_plan(request.plan);
  Places places(request.common);
  places.reads_model(request.model);
  places.reads(request.plan);
  places.reads_data(data_of(settings).spec);
  for (const auto& mask : mask_paths(plan, request.plan)) places.reads(mask);
  AtomicFile file(places.writes("-o", request.output, ".onnx"));
  const Model model = load_model(request.model, request.common, watcher);
  if (const auto missing = recovery_left_out(plan, settings)) watcher.remark(*missing);
  const RecoverOptions recover = recovering_of(settings, plan, model.graph, request.model, watcher);
  Outcome outcome = within("plan '" + request.plan + "'", [&] {
    Outcome applied = apply_plan(model.graph, plan, settings[kVerify], seed, recover);
    reorder(applied, settings[kVerify], seed);
    return applied;
  });
  const std::string sum = sha256.get();
  ApplyReport report{.summary = {}, .plan = request.plan, .same_model = made_for(plan, sum)};
  if (!report.same_model) watcher.remark(remark_on(plan, request.plan, request.model));
  if (const std::string given = data_of(settings).preprocess; !given.empty()) {
    set_metadata(outcome.graph, kPreprocessKey, to_string(parse_preprocessing(given)));
  }
  say_how_pruned(outcome.graph, plan_on(plan, sum));
  write_onnx(outcome.graph, file, places.taken());
  file.commit();
  report.summary = summarise(model, outcome);
  CutSummary& summary = report.summary;
  summary.output = request.output;
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  summary.command = command_again(request);
  if (const auto why = why_denser(summary.density)) watcher.warn(*why);
  return report;
}

Json to_json(const ApplyReport& report) {
  Json json = to_json(report.summary);
  json["plan"] = report.plan;
  json["same_model"] = report.same_model;
  return json;
}

}  // namespace coppice
