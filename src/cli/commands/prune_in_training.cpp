// See prune_in_training.h.
#include "cli/commands/prune_in_training.h"

#include "cli/commands/method_options.h"
#include "cli/console.h"
#include "cli/model.h"
#include "methods/rescale_dropout.h"
#include "methods/soft.h"
#include "report/format.h"

namespace coppice {
namespace {

Recipe tuning_of(const PruneOptions& options, Recipe recipe, int64_t usual_epochs) {
  recipe.epochs = options.tune_epochs.value_or(usual_epochs);
  recipe.optimizer.learning_rate = options.tune_lr.value_or(recipe.optimizer.learning_rate);
  return recipe;
}

// Said before the training, since hours later is too late: a penalty that can't move a scale to
// zero leaves nothing to choose by.
void warn_of_weak_penalty(const Session& session, const Recipe& recipe, double lambda,
                          const Console& console) {
  const double scale = median_scale(session.original());
  const double pull = largest_pull(recipe, lambda, session.batches(recipe));
  if (pull == 0 || pull >= scale) return;
  console.warn("--lambda " + significant(lambda, 3) + " is weak for this training: over " +
               std::to_string(recipe.epochs) + " epochs it pulls a scale down by " +
               significant(pull, 2) + " at most, and half of the scales are above " +
               significant(scale, 2) + "; about --lambda " +
               significant(2 * lambda * scale / pull, 1) +
               " would push what matters little to zero, or more epochs");
}

Outcome slim(const PruneOptions& options, TrainingRun& training, const Invocation& run) {
  const SlimmingOptions slimming_with = slimming_options(options, run.options.seed);
  const Recipe& recipe = training.recipe();
  warn_of_weak_penalty(training.session(), recipe, slimming_with.lambda, run.console);
  return slimming(training.session(), slimming_with, recipe,
                  tuning_of(options, recipe, recipe.epochs));
}

}  // namespace

bool prunes_in_training(const PruneOptions& options) {
  return options.soft || find_method(options.method).training == Method::Training::part;
}

void require_valid(const PruneOptions& options, uint64_t seed) {
  if (options.method == "slimming") {
    slimming_options(options, seed);
  } else if (options.method == "dsd") {
    dsd_options(options);
  } else if (options.method == "deep-compression") {
    sharing_options(options.sharing, options.keep, seed);
  } else if (options.soft) {
    require_filters(find_method(options.method));
    one_shot_options(options, seed);
  }
}

Start start_of(const PruneOptions& options) {
  if (is_zoo_name(options.model)) return Start::untrained;
  // What it is to become better than can't teach it.
  return options.method == "dsd" ? Start::trained : Start::pruned;
}

Outcome prune_in_training(const PruneOptions& options, TrainingRun& training,
                          const Invocation& run) {
  Session& session = training.session();
  if (options.method == "slimming") return slim(options, training, run);
  if (options.method == "dsd") {
    return dense_sparse_dense(session, dsd_options(options), training.recipe());
  }
  if (options.soft) {
    return prune_softly(session, find_method(options.method),
                        one_shot_options(options, run.options.seed), training.recipe(),
                        tuning_of(options, training.recipe(), 0));
  }
  if (count_dropouts(session.original()) == 0) {
    run.console.remark(
        "the model has no Dropout (exporters leave it out), so the paper's weaker dropout for "
        "fewer connections has nothing to act on");
  }
  return deep_compression(session,
                          deep_compression_options(options, session.original(), run.options.seed),
                          training.recipe());
}

}  // namespace coppice
