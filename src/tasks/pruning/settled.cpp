// See settled.h.
#include "tasks/pruning/settled.h"

#include "core/error.h"
#include "core/files.h"
#include "methods/options/blocks.h"
#include "report/format.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "tasks/runs/controls.h"

namespace coppice {
namespace {

void require_consistent_training(const PruneRequest& request, const Method& method,
                                 const Settings& settings) {
  if (settings.has(kEpochs)) {
    require_consistent(settings);
    if (settings.has(kData)) return;
    fail_usage("--epochs " + std::to_string(settings[kEpochs]) +
               ": training needs --data, for example cifar10:DIR; 'coppice data' lists the forms");
  }
  if (method.decides_in_training(settings)) {
    if (method.epochs == Method::Epochs::may_be_none) {
      if (settings.has(kData)) return;
      fail_usage("--method " + method.name +
                 " judges cuts by images: add --data, for example cifar10:DIR; 'coppice data' "
                 "lists the forms");
    }
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

void require_images(const Method& method, const Settings& settings) {
  if (images_to_decide_by(method, settings) == 0 || settings.has(kData)) return;
  fail_usage("--method " + method.name +
             " looks at how channels respond to images: add --data, for example cifar10:DIR; "
             "'coppice data' lists the forms");
}

// --recover distill is a training after the cut, by the original's outputs alone.
void settle_distilling(const Method& method, Settings& settings) {
  if (!has_option(settings.options(), kRecover) || !settings[kRecover].distill) return;
  const std::string distill = kRecover.flag() + " distill";
  if (!settings.has(kData)) {
    fail_usage(distill +
               ": the original is followed on images; add --data, for example "
               "cifar10:DIR");
  }
  if (method.decides_in_training(settings)) {
    fail_usage(distill + " is for methods that cut at once, found --method " + method.name +
               " that trains itself; leave it out");
  }
  if (settings.given(kDistillation).value_or(1) != 1) {
    fail_usage(distill + " follows the original's outputs alone, found --distill " +
               significant(settings[kDistillation], 3) + "; leave one of them out");
  }
  settings.set(kDistillation, "1");
  if (!settings.has(kEpochs)) settings.set(kEpochs, "2");
  if (!settings.has(kLearningRate)) settings.set(kLearningRate, "0.003");
}

// Also of a request that would fail hours later, with its controls.
void require_controls(const PruneRequest& request, const Method& method, const Settings& settings) {
  const Settings& controls = request.controls;
  const Request told = controls.decisive();
  if (told.empty()) return;
  if (!controls.has(kControl)) {
    fail_usage(told.front().first + " is for controls; add " + kControl.flag() +
               " scratch-b, or leave it out");
  }
  const std::string found = kControl.flag() + " holds a pruning against others that are trained";
  if (!settings.has(kEpochs)) fail_usage(found + "; add --data SPEC and --epochs N");
  if (method.kind == Method::Kind::structured || method.kind == Method::Kind::unstructured) return;
  fail_usage(
      found + ", found --method " + method.name + ", which " +
      (method.kind == Method::Kind::dense ? "leaves nothing pruned" : "is a control itself"));
}

}  // namespace

int64_t images_to_decide_by(const Method& method, const Settings& settings) {
  return method.images ? method.images(settings) : 0;
}

Settings settled(const PruneRequest& request, const Method& method) {
  Settings settings = request.settings;
  if (settings.options().empty()) settings = Settings(options_of(method));
  settle_distilling(method, settings);
  if (method.settle) method.settle(settings);
  require_images(method, settings);
  require_consistent_training(request, method, settings);
  images_to_recover_by(settings);  // says what is wrong with them
  require_controls(request, method, settings);
  return settings;
}

std::optional<BudgetMet> budget_met(const Settings& settings, const CutSummary& summary) {
  if (settings.has(kLayerRatio)) return std::nullopt;
  const auto share = [](int64_t after, int64_t before) {
    return before > 0 ? static_cast<double>(after) / static_cast<double>(before) : 1;
  };
  const Costs &before = summary.before.costs, &after = summary.after.costs;
  if (const auto asked = settings.given(kKeepMacs)) {
    return BudgetMet{kKeepMacs.flag(), *asked, share(after.macs, before.macs)};
  }
  if (const auto asked = settings.given(kKeepParams)) {
    return BudgetMet{kKeepParams.flag(), *asked, share(after.parameters, before.parameters)};
  }
  const auto asked = settings.given(kPruneRatio);
  int64_t all = 0, left = 0;
  for (const GroupCut& group : summary.groups) {
    all += group.before;
    left += group.after;
  }
  if (!asked || all == 0) return std::nullopt;
  return BudgetMet{kPruneRatio.flag(), *asked, 1 - share(left, all)};
}

// The shell command with every option that isn't at its default, wherever it came from.
std::string command_again(const PruneRequest& request, const Settings& settings) {
  const bool searches = find_method(request.method).searches;
  std::string command =
      std::string("coppice ") + (searches ? "search " : "prune ") + shell_quoted(request.model);
  const auto add = [&](const std::string& name, const std::string& value) {
    command += " " + name + (value.empty() ? "" : " " + shell_quoted(value));
  };
  add("-o", request.output);
  add("--method", request.method);
  for (const auto& [name, value] : settings.decisive()) add(name, value);
  for (const auto& [name, value] : request.controls.decisive()) add(name, value);
  for (const auto& [name, value] : request_of_shapes(request.common.input_shapes)) add(name, value);
  if (!request.plan.empty()) add("--plan", request.plan);
  if (!request.latency) add("--latency", "off");
  if (request.common.seed != 0) add("--seed", std::to_string(request.common.seed));
  if (request.threads != 0) add("--threads", std::to_string(request.threads));
  return command;
}

void check(const PruneRequest& request) { settled(request, find_method(request.method)); }

}  // namespace coppice
