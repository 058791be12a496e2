// What a session asks before it trains, and what it then asks of the trainer.
#include <algorithm>
#include <utility>

#include "core/error.h"
#include "graph/infer.h"
#include "session/session.h"
#include "training/output_gradients.h"
#include "training/parameters.h"
#include "training/trained_share.h"

namespace coppice {
namespace {

void require_updates(const Recipe& recipe, int64_t updates) {
  const int64_t first = recipe.updates.first, end = recipe.updates.end.value_or(updates);
  if (0 <= first && first <= end && end <= updates) return;
  fail_usage("updates " + std::to_string(first) + " to " + std::to_string(end) + " of " +
             std::to_string(updates) + ", expected a part of them; " +
             std::to_string(recipe.epochs) + " epochs have no more");
}

void require_judged_epochs(const Recipe& recipe, bool judged) {
  const KeptEpoch& kept = recipe.kept;
  if (judged || (kept.which == KeptEpoch::Which::last && !kept.patience)) return;
  fail_usage(
      "the best epoch is the one that held-out images judge best, and nothing is judged: "
      "either no images are held out, or the first output isn't scores of their classes",
      {option_hint("val", "0.1", "holds some out")});
}

void require_losses(const Recipe& recipe, const Graph& graph) {
  if (recipe.losses.empty()) return;
  const Inferred inferred = infer(graph);
  for (const auto& [name, weight] : recipe.losses) {
    const auto is_it = [&](ValueId id) { return graph.value(id).name == name; };
    const auto found = std::ranges::find_if(graph.outputs, is_it);
    const std::string what = "output '" + name + "' is to be a part of the loss; ";
    if (found == graph.outputs.end()) fail_input(what + "the model has no such output");
    if (!inferred.has(*found) || inferred.types[*found]->dtype == DType::f32) continue;
    fail_input(what + "it is " + name_of(inferred.types[*found]->dtype) + ", expected float32");
  }
}

}  // namespace

void Session::require_trainable(const Recipe& recipe) {
  const int64_t fixed = fixed_batch(state_.graph);
  if (fixed > 0 && fixed != recipe.batch) {
    fail_usage("the model's batch is fixed at " + std::to_string(fixed) + ", training's is " +
                   std::to_string(recipe.batch) + "; export it with an open batch axis",
               {option_hint("batch", std::to_string(fixed), "fits it as it is")});
  }
  if (recipe.batch == 1 && has_batch_norm(state_.graph)) {
    fail_usage("batches of 1: BatchNormalization needs statistics over more than one image",
               {option_hint("batch", "16", "or more will do")});
  }
  require_labels(recipe.loss);
  require_updates(recipe, recipe.epochs * batches(recipe));
  require_losses(recipe, state_.graph);
  require_judged_epochs(recipe, can_evaluate());
  if (trained_parameters(state_.graph).empty()) fail_input("the model has no weights to train");
  require_trained_weights(trained_share(state_.graph));
  objective();
}

void Session::require_labels(const LossOptions& loss) const {
  if (classes_ > 0 || loss.distillation >= 1) return;
  require_gradients(original_);
  fail_input(*why_not_classifier(original_, *data_.training) + ", and there are no labels that fit",
             {option_hint("distill", "1", "trains without them, by the original's outputs")});
}

// Decided when it is first asked for.
const Objective& Session::objective() {
  if (!objective_) {
    objective_ =
        objective_of(original_, {*data_.training, data_.preprocessing, images(Part::training)});
  }
  return *objective_;
}

void Session::remark_on_objective(const Recipe& recipe) {
  if (std::exchange(remarked_, true)) return;
  const TrainedShare share = trained_share(state_.graph);
  observer_.remark(
      "trains " + std::to_string(share.trained) + " of " + std::to_string(share.all) +
      " parameters" +
      (share.first_untrained.empty() ? "" : "; not those of " + share.first_untrained));
  for (const std::string& remark : objective_->remarks) observer_.remark(remark);
  const std::string others = remark_on_others(*objective_, recipe.loss);
  if (!others.empty()) observer_.remark(others);
}

TrainingSetup Session::setup_of(const Recipe& recipe) const {
  std::set<std::string> shared = sharing_after(kept_, state_.graph);
  for (const std::string& name : recipe.tied) shared.erase(name);
  return {.optimizer = recipe.optimizer,
          .loss = recipe.loss,
          .classes = objective_->classes,
          .labels = objective_->labels,
          .scores = objective_->scores,
          .norm_momentum = norm_momentum_of(recipe, batches(recipe)),
          .masks = all_masks(),
          .still = state_.still,
          .frozen = recipe.frozen,
          .tied = recipe.tied,
          .shared = std::move(shared),
          .l1 = recipe.l1,
          .losses = recipe.losses,
          .teacher = needs_teacher(*objective_, recipe.loss) ? &teacher() : nullptr};
}

}  // namespace coppice
