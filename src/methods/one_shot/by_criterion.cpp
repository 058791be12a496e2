// Criteria are constants of the program, so methods hold references to them.
#include "methods/one_shot/by_criterion.h"

#include "core/error.h"
#include "methods/one_shot/one_shot.h"
#include "methods/one_shot/prune_and_train.h"
#include "methods/options/blocks.h"
#include "methods/soft/soft.h"

namespace coppice {
namespace {

const FlagOption kSoft("soft",
                       "zero filters after every epoch but go on training them; cut at the end");

std::optional<LayerRatio> layer_ratio_of(const std::string& text) {
  const auto ratio = name_and_share(text);
  return ratio && ratio->second < 1 ? ratio : std::nullopt;
}

const TextOption<LayerRatio> kLayerRatio(
    {"layer-ratio", "REGEX=SHARE",
     "share of their channels that groups with such a name lose, exactly; others lose "
     "--prune-ratio, or nothing; widths aren't rounded; may be repeated, and the last that matches "
     "counts",
     "", Option::Takes::values},
    "a regular expression, =, and a share from 0 to below 1, such as layer1=0.5", layer_ratio_of);

bool is_soft(const Settings& settings) { return settings[kSoft]; }

// Ratios by layer are exact: what would bend them is refused, and there is no budget beside them.
void settle_layer_ratios(const Settings& settings) {
  for (const Option* option : std::initializer_list<const Option*>{
           &kKeepMacs, &kKeepParams, &kRoundTo, &kMaxLayerRatio, &kScope}) {
    if (!settings.has(*option) || (option == &kRoundTo && settings[kRoundTo] == 1)) continue;
    fail_usage("--layer-ratio says exactly what leaves, found " + option->flag() +
               " beside it; leave one of them out");
  }
}

// The papers of soft pruning add constants back; without, 87.2 % of ResNet-20 became 64.7.
void settle(Settings& settings) {
  if (settings.has(kLayerRatio)) {
    settle_layer_ratios(settings);
  } else {
    settle_budget(settings);
  }
  if (is_soft(settings) && !settings.has(kRecover)) settings.set(kRecover, "all");
  for (const OptionUse& tuning : tuning_options("")) {
    if (is_soft(settings) || !settings.has(*tuning.option)) continue;
    fail_usage(tuning.option->flag() +
               " is for training after a cut that is made while training; "
               "add --soft, or leave it out: --epochs train after the cut");
  }
}

OptionList options_for(const Criterion& criterion) {
  const bool global = criterion.scope == Criterion::Scope::global;
  OptionList options = cutting_options(global ? Ranked::globally : Ranked::by_layer);
  if (criterion.ranks == Criterion::Ranks::nothing) {  // so there is nothing to put together
    std::erase_if(options, [](const OptionUse& use) { return use.option == &kAggregate; });
  }
  if (criterion.needs) options = joined(std::move(options), {{&kImages}});
  return joined(joined(std::move(options), {{&kLayerRatio}}), criterion.options);
}

bool needs_training(const Criterion& criterion) {
  return criterion.needs && criterion.answered == Criterion::Answered::by_training;
}

std::string needs_of(const Criterion& criterion) {
  if (needs_training(criterion)) return "training data";
  if (criterion.needs) return "images, without labels";
  return criterion.ranks == Criterion::Ranks::normalisations ? "BatchNormalization in the model"
                                                             : "nothing but the model";
}

OneShotOptions one_shot_of(const MethodInput& input) {
  OneShotOptions options = cutting_of(input);
  options.layer_ratios = input.settings.all(kLayerRatio);
  if (has_option(input.settings.options(), kImages)) options.images = input.settings[kImages];
  return options;
}

Outcome prune_and_train_by(const Criterion& criterion, Session& session, const Recipe& recipe,
                           const MethodInput& input) {
  OneShotOptions options = one_shot_of(input);
  options.measure = measuring_in(session, recipe, options);
  return prune_and_train(
      session, [&](const Graph& graph) { return prune_once(graph, criterion, options); }, recipe);
}

// What one that needs evidence gets it by: images for the runtime, or the session of a training.
void add_evidence(Method& method, const Criterion& criterion) {
  if (needs_training(criterion)) {
    method.prune = {};
    method.train = [&criterion](Session& session, const Recipe& recipe, const MethodInput& input) {
      return prune_and_train_by(criterion, session, recipe, input);
    };
  } else if (criterion.needs) {
    method.images = [](const Settings& settings) {
      return is_soft(settings) ? 0 : settings[kImages];
    };
  }
}

}  // namespace

Method method_by(const Criterion& criterion) {
  const bool normalisations = criterion.ranks == Criterion::Ranks::normalisations;
  Method method{.name = criterion.name,
                .paper = criterion.paper,
                .about = std::string("drops the channels of the smallest ") + criterion.about,
                .differs = criterion.differs,
                .needs = needs_of(criterion),
                .options = options_for(criterion),
                .settle = settle,
                .prune = [&criterion](const Graph& graph, const MethodInput& input) {
                  return prune_once(graph, criterion, one_shot_of(input));
                }};
  add_evidence(method, criterion);
  if (normalisations) return method;
  method.options = joined(std::move(method.options), {{&kSoft}});
  method.options = joined(std::move(method.options), tuning_options("0"));
  method.trains = is_soft;
  method.train = [&criterion](Session& session, const Recipe& recipe, const MethodInput& input) {
    if (!is_soft(input.settings)) return prune_and_train_by(criterion, session, recipe, input);
    return prune_softly(session, criterion, {.name = criterion.name, .pruning = one_shot_of(input)},
                        recipe, tuning_of(input.settings, recipe, 0));
  };
  return method;
}

}  // namespace coppice
