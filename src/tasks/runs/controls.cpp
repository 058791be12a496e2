// See controls.h.
#include "tasks/runs/controls.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "methods/options/blocks.h"
#include "methods/rewrite.h"
#include "methods/scratch/given_structure.h"
#include "options/comma_list.h"
#include "report/format.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"

namespace coppice {
namespace {

constexpr std::array kNames = {kRandomControl, kScratchEControl, kScratchBControl, kRewindControl};

const CountOption kControlEpochs({"control-epochs", "N",
                                  "epochs of the dense net's training, for controls that repeat it",
                                  "--epochs"},
                                 1, 100'000);
const NumberOption kControlLr({"control-lr", "X",
                               "largest learning rate of the dense net's training",
                               "what is usual for an untrained model"},
                              {.low = 0, .ends = NumberRange::Ends::open});
const ChoiceOption<std::string> kControlSchedule(
    {"control-schedule", "NAME", "schedule of the dense net's training", "--schedule"},
    {{"cosine", "cosine"}, {"step", "step"}, {"constant", "constant"}});

// Of one of the options of training.
void set_by_name(Settings& settings, const std::string& name, const std::string& value) {
  for (const OptionUse& use : training_options()) {
    if (use.option->name() == name) settings.set(*use.option, value);
  }
}

bool is_one_of(const Option& option, std::initializer_list<const char*> names) {
  return std::ranges::any_of(names, [&](const char* name) { return option.name() == name; });
}

// What both were told of data, training and writing, but for options of these names.
Settings alike(const std::string& method, const Settings& from,
               std::initializer_list<const char*> but) {
  Settings settings(options_of(find_method(method)));
  OptionList common = joined(joined(data_options(), training_options()), rewriting_options());
  common = joined(std::move(common), {{&kVerify}, {&kRecover}, {&kRecoverImages}});
  for (const auto& [flag, value] : from.decisive()) {
    for (const OptionUse& use : common) {
      const Option& option = *use.option;
      if (option.flag() != flag || is_one_of(option, but)) continue;
      if (!has_option(settings.options(), option)) continue;
      settings.set(option, option.about().takes == Option::Takes::nothing ? "true" : value);
    }
  }
  return settings;
}

// As the dense net was trained; rate and schedule where they are known.
Settings from_scratch(const std::string& method, const Rival& rival, const Settings& dense) {
  const Settings& of_rival = rival.request.settings;
  const auto schedule = dense.given(kControlSchedule);
  const bool steps = schedule.value_or("step") == "step";
  Settings settings =
      steps ? alike(method, of_rival, {"lr", "distill", "teacher", "temperature", "from-scratch"})
            : alike(method, of_rival,
                    {"lr", "distill", "teacher", "temperature", "from-scratch", "milestones",
                     "gamma"});
  settings.set(kStructure, rival.plan);
  settings.set(kEpochs, std::to_string(dense.given(kControlEpochs).value_or(of_rival[kEpochs])));
  if (const auto rate = dense.given(kControlLr)) settings.set(kLearningRate, significant(*rate, 9));
  if (schedule) set_by_name(settings, "schedule", *schedule);
  return settings;
}

bool has_tuning(const Settings& settings) {
  return has_option(settings.options(), kTuneEpochs) && settings.given(kTuneEpochs).value_or(0) > 0;
}

Settings drawn_at_random(const Rival& rival) {
  const Settings& of_rival = rival.request.settings;
  Settings settings = alike("random-structure", of_rival, {});
  settings.set(kStructure, rival.plan);
  if (!has_tuning(of_rival)) return settings;
  settings.set(kEpochs, std::to_string(of_rival[kTuneEpochs]));
  if (const auto rate = of_rival.given(kTuneLr)) {
    settings.set(kLearningRate, significant(*rate, 9));
  }
  return settings;
}

// The same pruning but for the training after its cut.
Settings rewound(const Rival& rival, const Settings& dense) {
  Settings settings = rival.request.settings;
  const Method& method = find_method(rival.request.method);
  const std::string epochs =
      std::to_string(dense.given(kControlEpochs).value_or(settings[kEpochs]));
  const std::string rate = significant(
      dense.given(kControlLr).value_or(usual_rate(settings, Start::untrained, rival.model)), 9);
  const auto schedule = dense.given(kControlSchedule);
  if (!method.decides_in_training(settings)) {
    settings.set(kEpochs, epochs);
    settings.set(kLearningRate, rate);
    if (schedule) set_by_name(settings, "schedule", *schedule);
    return settings;
  }
  if (!has_option(settings.options(), kTuneEpochs)) {
    fail_usage("--method " + method.name +
               " doesn't train after its last cut alone, so there is nothing to rewind");
  }
  if (schedule) {
    fail_usage("--control-schedule would be that of --method " + method.name +
               " before its cut, too, which must stay the same; leave it out");
  }
  settings.set(kTuneEpochs, epochs);
  settings.set(kTuneLr, rate);
  return settings;
}

}  // namespace

const TextOption<std::vector<std::string>> kControl(
    {"control", "NAMES",
     "runs beside the pruning that say what it brought, one table for all: random (as many "
     "channels of every group, or zeros of every layer, drawn at random), scratch-e and scratch-b "
     "(the structure from weights drawn anew, for as many epochs as the dense net or for as much "
     "computation), lr-rewind (the same cut, tuned by the dense net's whole schedule)",
     "none"},
    "some of random, scratch-e, scratch-b and lr-rewind, such as scratch-b,random", controls_in);

OptionList dense_options() { return {{&kControlEpochs}, {&kControlLr}, {&kControlSchedule}}; }

OptionList control_options() { return under("Controls", joined({{&kControl}}, dense_options())); }

std::optional<std::vector<std::string>> controls_in(const std::string& text) {
  std::vector<std::string> names;
  for (const std::string& name : between_commas(text)) {
    const bool known = std::ranges::find(kNames, name) != kNames.end();
    if (!known || std::ranges::find(names, name) != names.end()) return std::nullopt;
    names.push_back(name);
  }
  return names;
}

PruneRequest control_of(const std::string& control, const Rival& rival, const Settings& dense) {
  PruneRequest request{.model = rival.request.model,
                       .output = {},
                       .method = rival.request.method,
                       .latency = false,
                       .threads = rival.request.threads,
                       .common = rival.request.common};
  if (control == kRewindControl) {
    request.settings = rewound(rival, dense);
  } else if (control == kRandomControl) {
    request.method = "random-structure";
    request.settings = drawn_at_random(rival);
  } else {
    request.method = control;
    request.settings = from_scratch(control, rival, dense);
  }
  return request;
}

}  // namespace coppice
