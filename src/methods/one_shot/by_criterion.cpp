// Criteria are constants of the program, so methods hold references to them.
#include "methods/one_shot/by_criterion.h"

#include "core/error.h"
#include "methods/greedy/greedy_options.h"
#include "methods/one_shot/one_shot.h"
#include "methods/one_shot/prune_and_train.h"
#include "methods/options/blocks.h"
#include "methods/soft/soft.h"

namespace coppice {
namespace {

const FlagOption kSoft("soft",
                       "zero filters after every epoch but go on training them; cut at the end");

const FlagOption kGreedy("greedy", "remove the least important channels one by one while training");

bool is_soft(const Settings& settings) { return settings[kSoft]; }
bool is_greedy(const Settings& settings) { return settings[kGreedy]; }
bool decides_while_training(const Settings& settings) {
  return is_soft(settings) || is_greedy(settings);
}

// A greedy pruning ranks over the network.
void settle_greedy_alone(Settings& settings) {
  for (const Option* option :
       std::initializer_list<const Option*>{&kSoft, &kLayerRatio, &kKeepLatency, &kScope}) {
    if (!settings.has(*option)) continue;
    if (option == &kScope && settings[kScope] == Ranked::globally) continue;
    fail_usage("--greedy ranks over the whole network and removes channels one by one, found " +
               option->flag() + " beside it; leave one of them out");
  }
  settle_greedy(settings);
}

void require_none_of(const OptionList& options, const Settings& settings,
                     const std::string& instead) {
  for (const OptionUse& use : options) {
    if (settings.has(*use.option)) fail_usage(use.option->flag() + instead);
  }
}

// The papers of soft pruning add constants back; without, 87.2 % of ResNet-20 became 64.7.
void settle(Settings& settings) {
  if (is_greedy(settings)) return settle_greedy_alone(settings);
  require_none_of({{&kUpdates}, {&kUnitsPerStep}, {&kRemoveUnits}, {&kLoopLr}}, settings,
                  " is for channels that are removed one by one while training; add --greedy");
  settle_budget_or_ratios(settings);
  if (is_soft(settings) && !settings.has(kRecover)) settings.set(kRecover, "all");
  if (is_soft(settings)) return;
  require_none_of(tuning_options(""), settings,
                  " is for training after a cut that is made while training; "
                  "add --soft, or leave it out: --epochs train after the cut");
}

OptionList options_for(const Criterion& criterion) {
  const bool global = criterion.scope == Criterion::Scope::global;
  OptionList options = cutting_options(global ? Ranked::globally : Ranked::by_layer);
  if (!criterion.aggregates) {
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
  if (criterion.needs && criterion.answered == Criterion::Answered::by_labels) {
    return "images with labels";
  }
  if (criterion.needs) return "images, without labels";
  return criterion.ranks == Criterion::Ranks::normalisations ? "BatchNormalization in the model"
                                                             : "nothing but the model";
}

OneShotOptions one_shot_of(const MethodInput& input) {
  OneShotOptions options = cutting_of(input);
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
      return decides_while_training(settings) ? 0 : settings[kImages];
    };
  }
}

constexpr char kRounds[] =
    "where widths are rounded, a group loses a whole block of channels, one by one, before another "
    "begins (--round-to 1: the least of all each time, as in the paper)";

// Of criteria that are added up between updates, as their papers have it.
Method greedy_method(Method method, const Criterion& criterion) {
  method.about = "trains on, and meanwhile removes the channels of the smallest " +
                 std::string(criterion.about) + ", one by one";
  method.differs += (method.differs.empty() ? "" : "; ") + std::string(kRounds);
  method.options = cutting_options(Ranked::globally);
  std::erase_if(method.options, [&](const OptionUse& use) {
    return use.option == &kKeepLatency || use.option == &kLatencyTable || use.option == &kScope ||
           (use.option == &kAggregate && !criterion.aggregates);
  });
  method.options = joined(std::move(method.options), greedy_options(criterion));
  method.options = joined(std::move(method.options), criterion.options);
  method.options = joined(std::move(method.options), tuning_options("as --epochs"));
  method.settle = settle_greedy;
  method.prune = {};
  method.train = [&criterion](Session& session, const Recipe& recipe, const MethodInput& input) {
    return prune_greedily_by(criterion, session, recipe, input);
  };
  return method;
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
  if (criterion.members) return greedy_method(std::move(method), criterion);
  add_evidence(method, criterion);
  if (normalisations) return method;
  method.options = joined(std::move(method.options), {{&kSoft}, {&kGreedy}});
  method.options = joined(std::move(method.options), greedy_options(criterion));
  method.options =
      joined(std::move(method.options), tuning_options("0, as --epochs with --greedy"));
  method.trains = decides_while_training;
  method.structure = [](const Settings& settings) {
    return is_greedy(settings) ? Method::Structure::automatic : structure_by_scope(settings);
  };
  method.train = [&criterion](Session& session, const Recipe& recipe, const MethodInput& input) {
    if (is_greedy(input.settings)) return prune_greedily_by(criterion, session, recipe, input);
    if (!is_soft(input.settings)) return prune_and_train_by(criterion, session, recipe, input);
    return prune_softly(session, criterion, {.name = criterion.name, .pruning = one_shot_of(input)},
                        recipe, tuning_of(input.settings, recipe, 0));
  };
  return method;
}

}  // namespace coppice
