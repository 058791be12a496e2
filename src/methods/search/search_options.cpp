// See search_options.h.
#include "methods/search/search_options.h"

#include "core/error.h"
#include "methods/method.h"
#include "prune/budget/share_kept.h"
#include "prune/latency/latency_meter.h"
#include "prune/scores/criterion.h"
#include "session/options/training_options.h"

namespace coppice {
namespace {

std::optional<std::string> weight_criterion(const std::string& text) {
  for (const Criterion& criterion : criteria()) {
    if (criterion.name == text && !criterion.needs) return text;
  }
  return std::nullopt;
}

Costs costs_after(const Traced& traced, const Widths& widths) {
  if (const auto costs = traced.costs().after_widths(widths)) return *costs;
  return traced.costs().after(last_units_beyond(traced.groups(), widths));
}

// The cost of a budget of time, so that what fits it will be measured to take as long as was asked.
SearchSpace timed(SearchSpace space, const Traced& traced, const Scores& scores,
                  AllocationOptions even, LatencyMeter& meter) {
  meter.allocate(traced, scores, even);
  const auto model = meter.model(traced, even);
  space.most = even.budget.kept * *meter.correction();
  space.cost = [model, groups = traced.found()](const Widths& widths) {
    return model->share(last_units_beyond(groups->groups, widths));
  };
  return space;
}

}  // namespace

Removal last_units_beyond(const Groups& groups, const Widths& widths) {
  Removal removal(groups.unit_count, 0);
  for (size_t g = 0; g < widths.size(); ++g) {
    const Group& group = groups.free[g];
    for (int64_t i = widths[g]; i < group.units(); ++i) removal[group.first_unit + i] = 1;
  }
  return removal;
}

AllocationOptions even_allocation(const Traced& traced, const OneShotOptions& pruning) {
  return {.budget = pruning.budget,
          .scope = Criterion::Scope::group,
          .rounding = rounding_of(traced, pruning),
          .most_of_group = pruning.most_of_group,
          .kept_groups = groups_to_keep(traced.graph(), traced.groups(), pruning)};
}

const CountOption kSearchImages({"search-images", "N",
                                 "training images that what is tried is judged by, and that train "
                                 "nothing"},
                                10, 1'000'000'000, 2000);
const CountOption kRecalibrate({"recalibrate", "N",
                                "batches of training images by which BatchNormalization's "
                                "statistics are found anew before a cut is judged; 0: as they "
                                "were"},
                               0, 100'000, 20);
const CountOption kWidthRatios({"width-ratios", "N",
                                "how many widths a group may have, from the narrowest that "
                                "--max-layer-ratio leaves to all of it"},
                               2, 10'000, 31);
const TextOption<std::string> kRankBy({"rank-by", "NAME",
                                       "the criterion by which channels of a group leave, once "
                                       "its width is known"},
                                      "a criterion that looks at weights alone, such as l1 or fpgm",
                                      weight_criterion, "l1");

OptionList searching_options() {
  return {{&kKeepMacs},      {&kKeepParams},   {&kKeepLatency},   {&kLatencyTable},
          {&kMaxLayerRatio}, {&kRoundTo},      {&kFor},           {&kKeep},
          {&kKeepSpine},     {&kRecover},      {&kRecoverImages}, {&kAggregate},
          {&kVerify},        {&kSearchImages}, {&kRecalibrate},   {&kWidthRatios}};
}

namespace {

// What decides nothing where nothing is trained isn't taken in silence.
void require_training_for_its_options(const Settings& settings, TrainsBefore before) {
  for (const OptionUse& use : training_options()) {
    const Option& option = *use.option;
    const bool used = &option == &kHeldOut || &option == &kDevice || &option == &kZeros ||
                      &option == &kFromScratch || option.name() == "batch";
    const bool of_result =
        &option == &kLearningRate || &option == &kDistillation || &option == &kTeacher;
    if (used || !settings.has(option)) continue;
    if (before == TrainsBefore::a_net && !of_result) continue;
    fail_usage(option.flag() + " is for training; add --epochs N to train what is found");
  }
}

}  // namespace

void settle_search(Settings& settings, TrainsBefore before) {
  settle_budget(settings);
  if (!settings.has(kEpochs)) require_training_for_its_options(settings, before);
}

SearchSpace space_of(const Traced& traced, const Scores& scores, const MethodInput& input) {
  const OneShotOptions pruning = cutting_of(input);
  const AllocationOptions even = even_allocation(traced, pruning);
  std::vector<char> kept = even.kept_groups;
  for (size_t g = 0; g < scores.unscored.size(); ++g) kept[g] = kept[g] || scores.unscored[g];
  const Budget::Of of = pruning.budget.of;
  WidthOptions widths{.least = 1 - pruning.most_of_group,
                      .ratios = input.settings[kWidthRatios],
                      .rounding = even.rounding,
                      .kept_groups = std::move(kept)};
  SearchSpace space{.choices = width_choices(traced.groups(), widths),
                    .cost =
                        [traced, of](const Widths& w) {
                          return share_kept(traced.costs(), of, costs_after(traced, w));
                        },
                    .most = pruning.budget.kept};
  if (of == Budget::Of::latency) {
    space = timed(std::move(space), traced, scores, even, *input.latency);
  }
  // Narrow nets, whose steps are too coarse for the budget, get finer ones, as in an allocation.
  while (space.cost(space.narrowest()) > space.most) {
    auto finer = widths.rounding.finer();
    if (!finer) break;
    widths.rounding = *std::move(finer);
    space.choices = width_choices(traced.groups(), widths);
  }
  require_reachable(space, name_of(of));
  return space;
}

}  // namespace coppice
