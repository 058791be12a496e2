// Source: the control of Mittal, Bhardwaj, Khapra, Ravindran, "Recovering from Random Pruning",
// WACV 2018, arXiv:1801.10447: channels at random, the same number in every layer; and of Frankle
// and Carbin, "The Lottery Ticket Hypothesis", ICLR 2019, arXiv:1803.03635, App. F: masks of the
// same density in every layer.
#include "methods/scratch/random_structure.h"

#include <algorithm>

#include "core/error.h"
#include "methods/method.h"
#include "methods/one_shot/one_shot.h"
#include "methods/options/blocks.h"
#include "methods/scratch/given_structure.h"
#include "prune/masks/survivors.h"
#include "prune/scores/criterion.h"

namespace coppice {
namespace {

Plan cut_at_random(const Graph& original, const Plan& plan, uint64_t seed) {
  const Replay replay = replay_of(original, plan);
  const Traced& traced = replay.traced;
  const Groups& groups = traced.groups();
  const Scores scores =
      score_units(traced.graph(), groups, find_criterion("random"), {.seed = seed});
  const Widths widths = widths_after(groups, replay.removal);
  return plan_of(traced.graph(), groups, removal_for(groups, scores, widths));
}

Outcome prune(const Graph& original, const MethodInput& input) {
  const GivenStructure& given = *input.structure;
  if (!given.plan) {
    fail_input("'" + given.file +
                   "' is a model, and doesn't say how many units of which group left; expected the "
                   "plan of its pruning",
               {subject_hint("structure")});
  }
  Outcome outcome = within("plan '" + given.file + "'", [&] {
    return apply_plan(original, random_twin(original, *given.plan, input.seed),
                      input.settings[kVerify], input.seed, recovering_of(input));
  });
  outcome.plan.method = "random-structure";
  return outcome;
}

}  // namespace

Plan random_twin(const Graph& original, const Plan& plan, uint64_t seed) {
  if (plan.masks.empty()) return cut_at_random(original, plan, seed);
  if (!plan.slices.empty()) {
    fail_input("it both cuts and masks, and no random twin of both is known");
  }
  Masks anywhere = plan.masks;
  for (auto& [name, mask] : anywhere) std::ranges::fill(mask.mutate<float>(), 1.0f);
  Plan twin;
  twin.masks = shuffled(plan.masks, anywhere, seed);
  return twin;
}

extern const Method kRandomStructure{
    .name = "random-structure",
    .paper = "Mittal et al., Recovering from Random Pruning, WACV 2018, arXiv:1801.10447",
    .about =
        "drops as many channels of every group as a plan does, or zeroes as many weights of every "
        "layer, but draws which ones",
    .differs =
        "widths are those of a plan, so that only which units stay is another; coupled layers draw "
        "once; of masks the places are drawn, as Frankle and Carbin's random masks",
    .needs = "a plan",
    .kind = Method::Kind::control,
    .options =
        {{&kStructure, {}, "", "a plan of this model, whose widths, or counts of zeros, are taken"},
         {&kRecover},
         {&kRecoverImages},
         {&kVerify}},
    .settle =
        [](Settings& settings) {
          if (!settings.has(kStructure)) {
            fail_usage(
                "--method random-structure draws a twin of a pruning: add --structure and "
                "the plan of that");
          }
        },
    .prune = prune,
    .structure = [](const Settings&) { return Method::Structure::given; }};

}  // namespace coppice
