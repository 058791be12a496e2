#include "methods/greedy/greedy_options.h"

#include "core/error.h"
#include "methods/method.h"
#include "methods/options/blocks.h"

namespace coppice {
namespace {

constexpr double kUsualLoopShare = 0.1;  // of --lr: as in the papers, which fine-tune meanwhile

}  // namespace

const CountOption kUpdates({"updates", "N", "updates of the weights before each removal"}, 1,
                           1'000'000, GreedyOptions{}.updates);
const CountOption kUnitsPerStep({"units-per-step", "N", "channels that leave at each removal"}, 1,
                                1'000'000, GreedyOptions{}.units_per_step);
const CountOption kRemoveUnits({"remove-units", "N",
                                "how many channels leave, in place of a budget; coupled ones count "
                                "once"},
                               1, 1'000'000'000);
const NumberOption kLoopLr({"loop-lr", "X",
                            "learning rate of the updates between removals, which is constant",
                            "a tenth of --lr"},
                           {.low = 0});
const NumberOption kSmoothing({"smoothing", "SHARE",
                               "share of a score that comes from the rounds before; 0.9 in the "
                               "paper of taylor-fo"},
                              {.low = 0, .high = 0.999}, 0);

OptionList greedy_options(const Criterion& criterion) {
  OptionList options = {{&kUpdates}, {&kUnitsPerStep}, {&kRemoveUnits}, {&kLoopLr}};
  if (criterion.members) options.push_back({&kSmoothing});
  return options;
}

void settle_greedy(Settings& settings) {
  if (!settings.has(kRemoveUnits)) return settle_budget(settings);
  for (const Option* budget : std::initializer_list<const Option*>{
           &kKeepMacs, &kKeepParams, &kPruneRatio, &kRoundTo, &kAllocate, &kSensitivity}) {
    if (!settings.has(*budget)) continue;
    if (budget == &kRoundTo && settings[kRoundTo] == 1) continue;
    fail_usage("--remove-units says exactly how many channels leave, found " + budget->flag() +
               " beside it; leave one of them out");
  }
}

Outcome prune_greedily_by(const Criterion& criterion, Session& session, const Recipe& recipe,
                          const MethodInput& input) {
  const Settings& settings = input.settings;
  GreedyOptions options{.pruning = cutting_of(input),
                        .units = settings.given(kRemoveUnits).value_or(0),
                        .updates = settings[kUpdates],
                        .units_per_step = settings[kUnitsPerStep]};
  if (has_option(settings.options(), kImages)) options.pruning.images = settings[kImages];
  if (has_option(settings.options(), kSmoothing)) options.smoothing = settings[kSmoothing];
  Recipe loop = recipe;
  loop.optimizer.learning_rate =
      settings.given(kLoopLr).value_or(kUsualLoopShare * recipe.optimizer.learning_rate);
  return prune_greedily(session, criterion, options, loop,
                        tuning_of(settings, recipe, recipe.epochs));
}

}  // namespace coppice
