// Source: Zhu, Gupta, "To prune, or not to prune: exploring the efficacy of pruning for model
// compression", 2017, arXiv:1710.01878, Sec. 3.
#include "methods/sparse_training/gradual.h"

#include "core/error.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/sparse_training/mask_schedule.h"
#include "methods/sparse_training/sparse_training.h"
#include "methods/unstructured/pattern.h"
#include "prune/scores/criterion.h"

namespace coppice {
namespace {

Masks masks_at(double sparsity, const Graph& graph, MagnitudeOptions pruning) {
  pruning.sparsity = sparsity;
  return magnitude_masks(graph, pruning);
}

}  // namespace

Outcome prune_gradually(Session& session, const GradualOptions& options, const Recipe& recipe) {
  require_finite(session.original());
  require_denser_than_asked(session.original(), options.pruning);
  magnitude_masks(session.original(), options.pruning);  // what fails, fails now
  const Pattern pattern = find_pattern(session.original(), options.pruning);
  session.stage("gradual pruning", [&] {
    const int64_t updates = updates_of(session, recipe);
    const CubicSchedule schedule{.initial = options.initial,
                                 .final = options.pruning.sparsity,
                                 .first = update_at(options.from, updates),
                                 .last = update_at(options.until, updates),
                                 .every = options.every};
    TrainHooks hooks;
    hooks.due = [&](int64_t update) { return schedule.due(update); };
    hooks.after_update = [&](int64_t update) {
      session.set_masks(masks_at(schedule.sparsity(update), session.graph(), pattern.pruning));
    };
    hooks.after_epoch = [&](int64_t) { session.note("density", density_of(session)); };
    session.train(recipe, hooks);
  });
  Outcome outcome = masked_outcome(session, "gradual");
  pattern.say(outcome);
  return outcome;
}

namespace {

const NumberOption kMaskFrom({"mask-from", "SHARE",
                              "begins to mask when this share of the training is done"},
                             {.low = 0, .high = 1}, 0);
const NumberOption kInitialSparsity({"initial-sparsity", "SHARE",
                                     "share of the weights that the first masks make zero"},
                                    {.low = 0, .high = 1}, 0);

void settle(Settings& settings) {
  const auto require_order = [&](const NumberOption& first, const NumberOption& last) {
    if (settings[first] <= settings[last]) return;
    fail_usage(first.flag() + " is " + first.normal(std::to_string(settings[first])) +
               ", expected at most " + last.flag() + ", which is " +
               last.normal(std::to_string(settings[last])));
  };
  require_order(kMaskFrom, kMaskUntil);
  require_order(kInitialSparsity, kSparsity);
}

}  // namespace

extern const Method kGradual{
    .name = "gradual",
    .paper = "Zhu, Gupta, To prune, or not to prune, 2017, arXiv:1710.01878",
    .about = "zeroes ever more of the smallest weights while the model trains",
    .differs =
        "by rank, so that the sparsity of every change is exact, ties by index; a masked weight is "
        "zero, with its momentum, so that it stays masked, where the authors' code keeps the value "
        "it had and brings it back once others have become smaller; the last change is at "
        "--mask-until, whether or not --mask-every divides the way there; all layers are pruned "
        "but those of --keep; a trained original teaches by default (--distill 0: labels alone, as "
        "in the paper)",
    .needs = "training data",
    .kind = Method::Kind::unstructured,
    .options = joined(changed(masking_options(), {&kSparsity, "0.9"}),
                      {{&kInitialSparsity}, {&kMaskFrom}, {&kMaskUntil, "0.5"}, {&kMaskEvery}}),
    .settle = settle,
    .train = [](Session& session, const Recipe& recipe, const MethodInput& input) {
      const Settings& settings = input.settings;
      return prune_gradually(session,
                             {.pruning = masking_of(settings),
                              .initial = settings[kInitialSparsity],
                              .from = settings[kMaskFrom],
                              .until = settings[kMaskUntil],
                              .every = settings[kMaskEvery]},
                             recipe);
    }};

}  // namespace coppice
