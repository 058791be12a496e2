// The training loop of a session: data, schedule, judging, saving. What a step computes is the
// trainer's.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "data/loader.h"
#include "graph/infer.h"
#include "graph/passes/separate_vectors.h"
#include "session/parameters.h"
#include "session/session.h"
#include "session/trained_share.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kStepStream = 0x73746570;  // "step": no other stream of the seed is like it

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Shape picture_shape(const Graph& graph) {
  const Shape batch = input_shape(graph, graph.inputs.front(), {});
  return {batch.begin() + 1, batch.end()};
}

void require_finite_weights(const Graph& graph, const std::vector<Parameter>& parameters,
                            const std::string& where) {
  for (const Parameter& parameter : parameters) {
    const Value& value = graph.value(parameter.id);
    if (std::ranges::all_of(value.constant->as<float>(), [](float x) { return std::isfinite(x); }))
      continue;
    fail_target(where + ": weights of '" + value.name + "' aren't finite any more");
  }
}

}  // namespace

struct Session::Run {
  const Recipe& recipe;
  const TrainHooks& hooks;
  Loader loader;
  TrainingSetup setup;
  // As loaded: a bias that holds a NaN no longer looks like one.
  std::vector<Parameter> parameters = {};
  Clock::time_point saved = Clock::now(), started = Clock::now();
  int64_t images_here = 0;  // since `started`, for the rate
  // Trained before this stage. What is random is drawn by epochs of the whole run, so that no two
  // stages see the pictures in the same order.
  int64_t epochs_before = 0;

  double learning_rate(int64_t step) const {
    const int64_t batches = loader.batches();
    return recipe.optimizer.learning_rate *
           schedule_factor(recipe.schedule, step, batches * recipe.epochs, batches);
  }
};

void Session::require_trainable(const Recipe& recipe) {
  const int64_t fixed = fixed_batch(state_.graph);
  if (fixed > 0 && fixed != recipe.batch) {
    fail_usage("the model's batch is fixed at " + std::to_string(fixed) + ", training's is " +
               std::to_string(recipe.batch) +
               "; export it with an open batch axis, or give --batch " + std::to_string(fixed));
  }
  if (recipe.batch == 1 && has_batch_norm(state_.graph)) {
    fail_usage(
        "--batch 1: BatchNormalization needs statistics over more than one picture; give 16 or "
        "more");
  }
  if (classes_ == 0 && recipe.loss.distillation < 1) {
    fail_input(*why_not_classifier(original_, *data_.training) +
               "; without labels that fit, train with --distill 1: outputs then follow the "
               "original model's");
  }
  if (trained_parameters(state_.graph).empty()) fail_input("the model has no weights to train");
  require_trained_weights(trained_share(state_.graph));
  if (objective_) return;
  objective_ = objective_of(original_, {*data_.training, data_.preprocessing, training_});
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
          .frozen = recipe.frozen,
          .tied = recipe.tied,
          .shared = std::move(shared),
          .l1 = recipe.l1,
          .teacher = needs_teacher(*objective_, recipe.loss) ? &original_ : nullptr};
}

void Session::train(const Recipe& recipe, const TrainHooks& hooks) {
  COPPICE_CHECK(!trained_, "training outside a stage, or twice in one, can't be resumed");
  trained_ = true;
  require_trainable(recipe);
  remark_on_objective(recipe);
  separate_vectors(state_.graph);
  found_ = nullptr;
  Run run{recipe, hooks,
          Loader(*data_.training, {.indices = training_,
                                   .batch = recipe.batch,
                                   .input = picture_shape(state_.graph),
                                   .preprocessing = data_.preprocessing,
                                   .augmentation = recipe.augmentation,
                                   .seed = recipe.seed}),
          setup_of(recipe)};
  run.epochs_before = std::ssize(state_.history) - state_.cursor.epoch;
  if (state_.cursor.batch > run.loader.batches()) {
    fail_input("the checkpoint goes on after batch " + std::to_string(state_.cursor.batch) +
               " of an epoch, data set '" + data_.training->name() + "' gives only " +
               std::to_string(run.loader.batches()) + "; it isn't the one that the run began with");
  }
  loaded_ = false;
  run.loader.start(run.epochs_before + state_.cursor.epoch, state_.cursor.batch);
  while (state_.cursor.epoch < recipe.epochs) {
    if (!loaded_) {
      run.setup.masks = all_masks();
      run.parameters = trained_parameters(state_.graph);
      trainer_.load(state_.graph, run.setup, state_.optimizer);
      loaded_ = true;
    }
    train_epoch(run);
    end_epoch(run);
  }
  // Zeros that a method let come back took values of their own.
  if (!restore(state_.graph, kept_, state_.plan)) return;
  loaded_ = false;
  if (can_evaluate()) state_.history.back().held_out_after = evaluate();
}

void Session::train_epoch(Run& run) {
  TrainingCursor& cursor = state_.cursor;
  const Recipe& recipe = run.recipe;
  const int64_t batches = run.loader.batches(), steps = batches * recipe.epochs;
  while (cursor.batch < batches) {
    const auto start = Clock::now();
    const int64_t step = cursor.epoch * batches + cursor.batch;
    const Batch batch = run.loader.next();
    Random random = Random::stream(
        recipe.seed, {kStepStream, static_cast<uint64_t>(run.epochs_before + cursor.epoch),
                      static_cast<uint64_t>(cursor.batch)});
    const StepResult result =
        trainer_.step(batch.images, batch.labels,
                      {.learning_rate = run.learning_rate(step), .seed = random.next()});
    if (!std::isfinite(result.loss)) {
      fail_target(
          "the loss is " + std::to_string(result.loss) + " in step " +
          std::to_string(cursor.batch + 1) + " of epoch " + std::to_string(cursor.epoch + 1) +
          "; what was saved before is kept" +
          (options_.checkpoint.empty() ? "" : " in '" + options_.checkpoint.string() + "'") +
          "; try a smaller --lr, or --clip-norm 1");
    }
    cursor.loss += result.loss;
    cursor.correct += result.correct;
    cursor.images += recipe.batch;
    run.images_here += recipe.batch;
    ++cursor.batch;
    cursor.seconds += seconds_since(start);
    const double rate = static_cast<double>(run.images_here) / seconds_since(run.started);
    const auto left = static_cast<double>((steps - step - 1) * recipe.batch);
    observer_.step(
        {.stage = stage_name_,
         .epoch = cursor.epoch + 1,
         .epochs = recipe.epochs,
         .batch = cursor.batch,
         .batches = batches,
         .loss = cursor.loss / static_cast<double>(cursor.batch),
         .top1 = static_cast<double>(cursor.correct) / static_cast<double>(cursor.images),
         .images_per_second = rate,
         .seconds_left = left / rate});
    const bool stop = observer_.stop_requested();
    if (!stop && seconds_since(run.saved) < options_.save_every_s) continue;
    keep(run);
    save();
    if (!stop) continue;
    throw Error(
        ErrorKind::interrupted,
        "interrupted in epoch " + std::to_string(cursor.epoch + 1) +
            (options_.checkpoint.empty() ? ""
                                         : "; the same command with --resume goes on from here"));
  }
}

void Session::end_epoch(Run& run) {
  keep(run);
  TrainingCursor& cursor = state_.cursor;
  EpochRecord record{
      .stage = stage_name_,
      .epoch = cursor.epoch + 1,
      .epochs = run.recipe.epochs,
      .learning_rate = run.learning_rate((cursor.epoch + 1) * run.loader.batches() - 1),
      .optimizer = name_of(run.recipe.optimizer.kind),
      .largest_rate = run.recipe.optimizer.learning_rate,
      .loss = cursor.loss / static_cast<double>(std::max<int64_t>(1, cursor.batch)),
      .top1 = static_cast<double>(cursor.correct) / static_cast<double>(cursor.images),
      .held_out = {},
      .held_out_after = {},
      .seconds = cursor.seconds,
      .images_per_second = static_cast<double>(cursor.images) / cursor.seconds};
  if (can_evaluate()) record.held_out = evaluate();
  cursor = {.epoch = cursor.epoch + 1};
  state_.history.push_back(record);
  changed_ = false;
  if (run.hooks.after_epoch) run.hooks.after_epoch(record.epoch);
  if (changed_ && can_evaluate()) state_.history.back().held_out_after = evaluate();
  save();
  observer_.epoch(state_.history.back());
  run.saved = Clock::now();
}

void Session::keep(Run& run) {
  trainer_.store(state_.graph, state_.optimizer);
  require_finite_weights(state_.graph, run.parameters,
                         "epoch " + std::to_string(state_.cursor.epoch + 1));
  run.saved = Clock::now();
}

}  // namespace coppice
