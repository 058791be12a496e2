// What a pruning method may do with a model while it trains, and the state that makes it resumable.
//
// A method is a list of stages; each is run once, and after each the session is saved. A run that
// ended early is called with the same stages again: those that were done are skipped, and a stage
// that trains goes on in the middle. Training is deterministic: the order of the images, their
// augmentation and everything else that is random are functions of (seed, epoch, image), with
// epochs counted over all stages, so weights, optimizer state and a cursor are all there is to
// save. A stage's recipe has a seed and an augmentation of its own.
//
// A rule for methods: no ValueId of original() is used on graph(), nor the other way round, and no
// index of a node. Stages change the one, and names are all that the two are sure to share
// (find_value; a node by the names of its outputs).
//
// What changes the model (all functions below `measuring`) may be called in a stage and in the
// hooks of a training; then the training goes on with what there is.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "evidence/evidence.h"
#include "groups/groups.h"
#include "groups/traced.h"
#include "prune/plan/plan.h"
#include "session/observer.h"
#include "session/options/options.h"
#include "session/state/kept.h"
#include "session/state/state.h"
#include "training/objective.h"
#include "training/recipe.h"

namespace coppice {

class Session {
 public:
  enum class Masking {
    hard,  // weights stay zero, with their momentum and whatever was masked before, until `unmask`
    soft,  // weights are zeroed now, and may come back
  };

  // Throws Error::input or Error::usage where the model and the data don't fit.
  Session(Graph original, SessionData data, Trainer& trainer, Observer& observer,
          SessionOptions options);

  // Goes on from what was saved. Throws Error::usage where it was another request.
  void resume(SessionState state);

  const Graph& original() const { return original_; }
  const Graph& teacher() const { return options_.teacher ? *options_.teacher : original_; }
  // As it is now. Layers have vectors of their own in it from the beginning
  // (graph/passes/separate_vectors.h), whatever the original and what methods make of it merge.
  const Graph& graph() const { return state_.graph; }
  // All cuts so far, in the indices of the original with its vectors separated.
  const Plan& plan() const { return state_.plan; }
  // The method's own; what is kept of the original is masked beside them.
  const NamedTensors& masks() const { return state_.masks; }
  const Kept& kept() const { return kept_; }  // of the original
  const std::vector<EpochRecord>& history() const { return state_.history; }
  const std::vector<StageRecord>& stages() const { return state_.stages; }  // those that are over
  // graph() with its groups and costs, which are found anew only once its structure has changed.
  Traced traced();
  int64_t classes() const { return classes_; }  // 0: the first output isn't scores
  int64_t batches(const Recipe& recipe) const;  // updates of an epoch
  const std::vector<int64_t>& images(Part part) const { return parts_.at(part); }
  const std::vector<int64_t>& held_out() const { return images(Part::held_out); }

  // What a stage without training made of the model is judged by the held-out images.
  void stage(const std::string& name, const std::function<void()>& body);
  // Saves now, and throws Error::interrupted where the observer asks to stop: for a stage that
  // takes long without training, a search say. Its body is run from its beginning on resuming, so
  // what it did must be in the state (`own`), and the model as the body expects it.
  void save_or_stop();
  // Puts a number on record, in metrics and reports: of the epoch whose end a hook is called for
  // (TrainHooks::after_epoch), or of a stage that hasn't trained.
  void note(const std::string& name, double value);
  // What the method keeps for itself. It is saved with everything else, and nothing here reads it.
  const MethodState& own() const { return state_.own; }
  void keep_own(MethodState own) { state_.own = std::move(own); }

  // Throws what keeps the graph from being trained at all, before anything is done with it:
  // Error::usage for a batch that doesn't fit, or a part of the schedule that isn't in it,
  // Error::input for a model without weights to train, or without outputs to train by.
  void require_trainable(const Recipe& recipe);
  // Requires: in a stage, once, and nothing before it that must not be done again on resuming.
  // Trains with a fresh optimizer; the teacher, if the recipe wants one, is the original, or the
  // one that the session was given. Throws Error::target when the loss stops being finite,
  // Error::interrupted when the observer asks. A graph of several inputs isn't judged meanwhile.
  void train(const Recipe& recipe, const TrainHooks& hooks = {});

  // Whether there are held-out images, classes to tell apart, and no input beside the images.
  bool can_evaluate() const;
  // How long updates have taken in this process, and what lay between them: hooks, and loading
  // what they changed.
  struct Spent {
    double updates = 0, between = 0;  // seconds
  };
  const Spent& spent() const { return spent_; }

  // On the held-out images. Requires: can_evaluate().
  Evaluation evaluate();
  // Of another graph for the same images; the session's own stays as it is. Requires: classes,
  // and images in the part.
  Evaluation evaluate(const Graph& candidate, Part part);
  // The same graph with other running statistics. Throws Error::input where the part is smaller
  // than a batch.
  Graph recalibrated(Graph candidate, const Recalibration& how);

  // Evidence with gradients (evidence/requests.h) of graph(), or of another graph for the same
  // images; the session's own, and what a training does afterwards, stays as it is. Throws as
  // Trainer::collect and EvidenceOfBatches do, Error::input where the part is smaller than a batch
  // and where labels don't say what the loss is.
  Evidence collect(const Graph& graph, std::span<const EvidenceRequest> requests,
                   const Collection& how);
  // For criteria: what needs gradients is collected, all else measured by the runtime, on the same
  // images. Requires: the session outlives it.
  Measure measuring(Collection how);

  // `groups`: of graph() as it is now. Takes units out of graph, optimizer state, masks and
  // snapshots alike; selections are settled. In a stage that hasn't trained the cut is judged
  // without recovering, too (state/fact_names.h). Throws as require_cut does; then nothing was
  // changed.
  void remove(const Groups& groups, const Removal& removal, const RemoveOptions& options = {});
  // Sets the graph to what a method made of graph(); plan and masks stay, and hold. What lies
  // beside weights (moments, snapshots) stays with those that kept their name and shape, and is
  // forgotten for the others: their moments begin at zero, though Adam's correction counts on, and
  // values that were tied are tied anew where they changed. Throws Error::input where a mask
  // doesn't fit.
  void edit(Graph graph);
  // The same for a graph that computes the same, written otherwise, which isn't judged anew.
  void rewrite(Graph graph);
  // Sets the graph to what a method made of the original by `plan` and `masks`. The optimizer
  // begins afresh: nothing says which moments are still of the same weights.
  void adopt(Graph graph, Plan plan, NamedTensors masks);

  void mask(const NamedTensors& masks, Masking masking);
  // In place of all hard masks so far. Weights that come back begin at zero, as do their moments.
  // Throws Error::input where one doesn't fit.
  void set_masks(NamedTensors masks);
  void unmask() { set_masks({}); }

  // Channels of BatchNormalization, by the names of scales, 1 in a f32 tensor of that shape, that
  // their running statistics normalise from here on, in training, too, and that leave those as they
  // are (TrainingSetup::still). For channels of zeros that may come back.
  void hold_statistics(const NamedTensors& channels);

  // Keeps the weights and running statistics as they are now, for `restore`, under a name; cuts
  // take the same units out of them.
  void snapshot(const std::string& name);
  // Sets them to what they were; masks hold, and what came since (biases that a cut's recovery
  // added, layers of an edit) stays. The optimizer begins afresh. Requires: a snapshot of that
  // name.
  void restore(const std::string& name);

 private:
  struct Run;  // of one `train`
  TrainingSetup setup_of(const Recipe& recipe) const;
  NamedTensors all_masks() const;
  void require_labels(const LossOptions& loss) const;
  const Objective& objective();
  std::vector<int64_t> drawn(const Graph& graph, const Collection& how) const;
  void remark_on_objective(const Recipe& recipe);
  void begin(Run& run);
  void load(Run& run);
  void after_update(Run& run);
  void train_epoch(Run& run);
  void step(Run& run);
  void tell_step(const Run& run);
  void end_epoch(Run& run);
  std::span<const EpochRecord> epochs_of_training() const;
  bool looks_for_best(const Run& run) const;
  bool is_out_of_patience(const Run& run) const;
  void keep_best_epoch(const Run& run);
  std::optional<double> top1_of(const TrainingCursor& cursor) const;
  void keep(Run& run);  // what the trainer has, into the state, unless that was changed since
  int64_t epochs_of_stage() const;  // done so far
  EvaluationJob job_for(const Graph& graph, Part part) const;
  void set_graph(Graph graph);
  void set_weights_alone(Graph graph);
  void save();
  [[noreturn]] void fail_interrupted(const std::string& where) const;

  Graph original_;
  SessionData data_;
  Trainer& trainer_;
  Observer& observer_;
  SessionOptions options_;
  Kept kept_;
  int64_t classes_ = 0;
  std::optional<Objective> objective_;  // once something was to be trained
  bool remarked_ = false;
  Parts parts_;
  SessionState state_;
  std::shared_ptr<const Traced::Found> found_;  // by tracing state_.graph; null: it has changed
  int64_t next_stage_ = 0;
  std::string stage_name_;
  Facts facts_;                // of this stage
  bool kept_earlier_ = false;  // of this stage, another epoch than the last
  bool trained_ = true;        // in this stage; there is none yet
  bool changed_ = false;       // what the model computes, by other means than training
  bool loaded_ = false;        // the trainer holds state_.graph, or what has become of it since
  Spent spent_;
};

}  // namespace coppice
