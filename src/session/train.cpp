// The training loop of a session: data, schedule, judging, saving. What a step computes is the
// trainer's.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "data/loader.h"
#include "evidence/batches.h"
#include "graph/infer.h"
#include "session/session.h"
#include "training/judging/better.h"
#include "training/parameters.h"

namespace coppice {
namespace {

using Clock = std::chrono::steady_clock;

// A snapshot's name while the stage goes on; methods' own have others.
constexpr char kBestEpoch[] = "best epoch";

// The first of equals. Requires: every epoch is judged.
const EpochRecord* best_of(std::span<const EpochRecord> epochs) {
  const EpochRecord* best = &epochs.front();
  for (const EpochRecord& epoch : epochs) {
    if (is_better(*epoch.held_out, *best->held_out)) best = &epoch;
  }
  return best;
}

constexpr uint64_t kStepStream = 0x73746570;  // "step": no other stream of the seed is like it

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Shape image_shape(const Graph& graph) {
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

// The same, or what EvidenceOfBatches throws.
Evidence finite(const Evidence& evidence) {
  EvidenceOfBatches batch;
  batch.add(evidence, 1);
  for (const auto& [request, answer] : evidence.answers()) {
    if (first_not_finite(answer)) batch.finish();
  }
  return evidence;
}

}  // namespace

// Epochs and updates are counted three ways: in the schedule, whose first may be left out; in the
// stage, whose cursor says how many epochs are done; and over the whole run, for what is random, so
// that no two stages see the images in the same order.
struct Session::Run {
  const Recipe& recipe;
  const TrainHooks& hooks;
  Loader loader;
  TrainingSetup setup;
  const TrainingCursor& cursor;
  int64_t epochs_before = 0;  // of the run, before this stage
  // As loaded: a bias that holds a NaN no longer looks like one.
  std::vector<Parameter> parameters = {};
  std::vector<EvidenceRequest> requests = {};  // to the model as loaded
  Clock::time_point saved = Clock::now(), started = Clock::now();
  int64_t images_here = 0;  // since `started`, for the rate

  int64_t batches() const { return loader.batches(); }
  int64_t updates() const { return batches() * recipe.epochs; }
  int64_t first() const { return recipe.updates.first; }
  int64_t end() const { return recipe.updates.end.value_or(updates()); }
  // In the schedule, from 0.
  int64_t epoch() const { return first() / batches() + cursor.epoch; }
  int64_t update() const { return epoch() * batches() + cursor.batch; }
  // The batches of this epoch that are trained on: from, and up to before.
  int64_t first_batch() const { return cursor.epoch == 0 ? first() % batches() : 0; }
  int64_t end_batch() const { return std::min(batches(), end() - epoch() * batches()); }
  bool ended() const { return hooks.left && hooks.left() == 0; }  // before the schedule does
  bool gives_evidence(int64_t update) const { return !hooks.due || hooks.due(update); }
  bool calls_after(int64_t update) const {
    if (!hooks.after_update) return false;
    return hooks.due ? hooks.due(update) : update % hooks.every == 0;
  }
  bool may_change_the_model() const { return hooks.after_epoch || hooks.after_update; }
  bool over() const {
    const bool at_end = first() >= end() || epoch() * batches() >= end();
    return at_end || (cursor.batch == first_batch() && ended());
  }
  int64_t updates_left() const {
    const int64_t scheduled = end() - update();
    return hooks.left ? std::min(scheduled, hooks.left()) : scheduled;
  }
  int64_t epoch_of_run() const { return epochs_before + cursor.epoch; }
  double learning_rate(int64_t update) const {
    return recipe.optimizer.learning_rate *
           schedule_factor(recipe.schedule, update, updates(), batches());
  }
};

void Session::train(const Recipe& recipe, const TrainHooks& hooks) {
  COPPICE_CHECK(!trained_, "training outside a stage, or twice in one, can't be resumed");
  trained_ = true;
  require_trainable(recipe);
  remark_on_objective(recipe);
  Run run{recipe,
          hooks,
          Loader(*data_.training, {.indices = images(Part::training),
                                   .batch = recipe.batch,
                                   .input = image_shape(state_.graph),
                                   .preprocessing = data_.preprocessing,
                                   .augmentation = recipe.augmentation,
                                   .seed = recipe.seed}),
          setup_of(recipe),
          state_.cursor,
          std::ssize(state_.history) - state_.cursor.epoch};
  begin(run);
  while (!run.over() && !is_out_of_patience(run)) {
    train_epoch(run);
    end_epoch(run);
  }
  keep_best_epoch(run);
  // Zeros that a method let come back took values of their own.
  if (!coppice::restore(state_.graph, kept_, state_.plan)) return;
  loaded_ = false;
  if (can_evaluate()) state_.history.back().held_out_after = evaluate();
}

void Session::begin(Run& run) {
  TrainingCursor& cursor = state_.cursor;
  if (cursor.batch > run.batches()) {
    fail_input("the checkpoint goes on after batch " + std::to_string(cursor.batch) +
               " of an epoch, data set '" + data_.training->name() + "' gives only " +
               std::to_string(run.batches()) + "; it isn't the one that the run began with");
  }
  cursor.batch = std::max(cursor.batch, run.first_batch());
  loaded_ = false;
  run.loader.start(run.epoch_of_run(), cursor.batch);
}

void Session::load(Run& run) {
  if (loaded_) return;
  run.setup.masks = all_masks();
  run.setup.still = state_.still;
  run.parameters = trained_parameters(state_.graph);
  trainer_.load(state_.graph, run.setup, state_.optimizer);
  loaded_ = true;
  if (run.hooks.requests) run.requests = run.hooks.requests();
}

void Session::after_update(Run& run) {
  const auto start = Clock::now();
  keep(run);
  run.hooks.after_update(run.update());
  if (run.cursor.batch < run.end_batch() && !run.ended()) load(run);
  spent_.between += seconds_since(start);
}

void Session::train_epoch(Run& run) {
  TrainingCursor& cursor = state_.cursor;
  load(run);
  while (cursor.batch < run.end_batch() && !run.ended()) {
    const auto start = Clock::now();
    step(run);
    spent_.updates += seconds_since(start);
    cursor.images += run.recipe.batch;
    run.images_here += run.recipe.batch;
    ++cursor.batch;
    cursor.seconds += seconds_since(start);
    if (run.calls_after(run.update())) after_update(run);
    tell_step(run);
    const bool stop = observer_.stop_requested();
    if (!stop && seconds_since(run.saved) < options_.save_every_s) continue;
    keep(run);
    save();
    if (stop) fail_interrupted("epoch " + std::to_string(run.epoch() + 1));
  }
}

void Session::step(Run& run) {
  TrainingCursor& cursor = state_.cursor;
  load(run);
  const Batch batch = run.loader.next();
  Random random =
      Random::stream(run.recipe.seed, {kStepStream, static_cast<uint64_t>(run.epoch_of_run()),
                                       static_cast<uint64_t>(cursor.batch)});
  StepOptions options{.learning_rate = run.learning_rate(run.update()),
                      .seed = random.next(),
                      .feeds = {},
                      .requests = {}};
  const bool gives_evidence = run.gives_evidence(run.update() + 1);
  if (gives_evidence) options.requests = run.requests;
  if (run.hooks.feeds) options.feeds = run.hooks.feeds(run.update() + 1);
  const StepResult result = trainer_.step(batch.images, batch.labels, options);
  cursor.loss += result.loss;
  cursor.correct += result.correct;
  if (std::isfinite(result.loss)) {
    if (run.hooks.evidence && gives_evidence) run.hooks.evidence(finite(result.evidence));
    return;
  }
  fail_target("the loss is " + std::to_string(result.loss) + " in step " +
                  std::to_string(cursor.batch + 1) + " of epoch " +
                  std::to_string(run.epoch() + 1) + "; what was saved before is kept" +
                  (options_.checkpoint.empty() ? "" : " in '" + options_.checkpoint.string() + "'"),
              {option_hint("lr", "", "may be too large"), option_hint("clip-norm", "1")});
}

void Session::tell_step(const Run& run) {
  const TrainingCursor& cursor = state_.cursor;
  const auto done = static_cast<double>(cursor.batch - run.first_batch());
  const double rate = static_cast<double>(run.images_here) / seconds_since(run.started);
  const auto left = static_cast<double>(run.updates_left() * run.recipe.batch);
  observer_.step({.stage = stage_name_,
                  .epoch = run.epoch() + 1,
                  .epochs = run.recipe.epochs,
                  .batch = cursor.batch,
                  .batches = run.batches(),
                  .loss = cursor.loss / done,
                  .top1 = top1_of(cursor),
                  .images_per_second = rate,
                  .seconds_left = left / rate});
}

std::optional<double> Session::top1_of(const TrainingCursor& cursor) const {
  if (classes_ == 0) return std::nullopt;
  return static_cast<double>(cursor.correct) / static_cast<double>(cursor.images);
}

void Session::end_epoch(Run& run) {
  keep(run);
  TrainingCursor& cursor = state_.cursor;
  const auto done = static_cast<double>(cursor.batch - run.first_batch());
  EpochRecord record{.stage = stage_name_,
                     .epoch = run.epoch() + 1,
                     .epochs = run.recipe.epochs,
                     .learning_rate = run.learning_rate(run.update() - 1),
                     .optimizer = name_of(run.recipe.optimizer.kind),
                     .largest_rate = run.recipe.optimizer.learning_rate,
                     .loss = cursor.loss / std::max(1.0, done),
                     .top1 = top1_of(cursor),
                     .held_out = {},
                     .held_out_after = {},
                     .seconds = cursor.seconds,
                     .images_per_second = static_cast<double>(cursor.images) / cursor.seconds,
                     .facts = {}};
  if (can_evaluate()) record.held_out = evaluate();
  cursor = {.epoch = cursor.epoch + 1};
  state_.history.push_back(record);
  changed_ = false;
  if (looks_for_best(run) && best_of(epochs_of_training()) == &state_.history.back()) {
    snapshot(kBestEpoch);
  }
  if (run.hooks.after_epoch) run.hooks.after_epoch(record.epoch);
  if (changed_ && can_evaluate()) state_.history.back().held_out_after = evaluate();
  save();
  observer_.epoch(state_.history.back());
  run.saved = Clock::now();
}

std::span<const EpochRecord> Session::epochs_of_training() const {
  return std::span(state_.history).last(static_cast<size_t>(state_.cursor.epoch));
}

bool Session::looks_for_best(const Run& run) const {
  return run.recipe.kept.which == KeptEpoch::Which::best && !run.may_change_the_model();
}

// Decided by what is in the state, so that a resumed training ends where it would have.
bool Session::is_out_of_patience(const Run& run) const {
  const auto epochs = epochs_of_training();
  if (!run.recipe.kept.patience || epochs.empty() || run.cursor.batch > run.first_batch() ||
      run.may_change_the_model()) {
    return false;
  }
  return &epochs.back() - best_of(epochs) >= *run.recipe.kept.patience;
}

void Session::keep_best_epoch(const Run& run) {
  if (!looks_for_best(run)) return;
  const auto epochs = epochs_of_training();
  if (epochs.empty()) return;
  if (const EpochRecord* best = best_of(epochs); best != &epochs.back()) {
    restore(kBestEpoch);
    kept_earlier_ = true;
    facts_.emplace_back("kept_epoch", static_cast<double>(best->epoch));
    observer_.remark(stage_name_ + ": epoch " + std::to_string(best->epoch) +
                     " is kept, the best by the held-out images");
  }
  state_.snapshots.erase(kBestEpoch);
}

void Session::keep(Run& run) {
  run.saved = Clock::now();
  if (!loaded_) return;
  trainer_.store(state_.graph, state_.optimizer);
  require_finite_weights(state_.graph, run.parameters, "epoch " + std::to_string(run.epoch() + 1));
}

}  // namespace coppice
