// What a pruning method may do with a model while it trains, and the state that makes it resumable.
//
// A method is a list of stages; each is run once, and after each the session is saved. A run that
// ended early is called with the same stages again: those that were done are skipped, and a stage
// that trains goes on in the middle. Training is deterministic: the order of the pictures, their
// augmentation and everything else that is random are functions of (seed, epoch, picture), with
// epochs counted over all stages, so weights, optimizer state and a cursor are all there is to
// save.
//
// A rule for methods: no ValueId of original() is used on graph(), nor the other way round, and no
// index of a node. The two begin alike, but stages change the one, and names are all that they are
// sure to share (find_value; a node by the names of its outputs).
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "data/dataset.h"
#include "data/preprocess.h"
#include "groups/groups.h"
#include "groups/traced.h"
#include "prune/plan.h"
#include "prune/recover.h"
#include "session/checkpoint.h"
#include "session/kept.h"
#include "session/objective.h"
#include "session/recipe.h"
#include "session/trainer.h"

namespace coppice {

struct SessionData {
  const Dataset* training = nullptr;
  Preprocessing preprocessing;
  // Share of the training pictures that is never trained on: every epoch is judged by them, and
  // whatever a method selects it selects by them.
  double held_out = 0.1;
};

struct StepRecord {
  const std::string& stage;
  int64_t epoch, epochs;   // from 1
  int64_t batch, batches;  // of this epoch, done
  double loss, top1;       // mean of the epoch so far
  double images_per_second, seconds_left;
};

// Who watches. Every function may be left as it is.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void step(const StepRecord&) {}
  virtual void epoch(const EpochRecord&) {}
  virtual void stage(const StageRecord&) {}   // it is over, and saved
  virtual void remark(const std::string&) {}  // what is good to know of the training, said once
  virtual bool stop_requested() { return false; }  // then the session saves and throws
};

struct SessionOptions {
  std::filesystem::path checkpoint = {};  // empty: nothing is saved
  Request request = {};
  double save_every_s = 120;  // within an epoch; every epoch's end is saved anyway
  // Whether all that is done here leaves a sparse original's zeros at zero, and values that its
  // weights share shared (session/kept.h).
  enum class Zeros { keep, free } zeros = Zeros::keep;
};

struct RemoveOptions {
  enum class Proof { on, off };

  RecoverOptions recover = {};  // what makes up for the units that leave
  Proof proof = Proof::on;      // masked and cut, with the weights as they are then (verify)
  uint64_t seed = 0;            // of the proof's inputs
};

struct TrainHooks {
  // After every epoch, before it is saved; may cut, mask or look. Where it changes the model, that
  // is judged once more (EpochRecord::held_out_after).
  std::function<void(int64_t epoch)> after_epoch;
};

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
  const Graph& graph() const { return state_.graph; }  // as it is now
  // All cuts so far, in the original's indices; once trained, of the original with its vectors
  // separated (separate_vectors.h).
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

  // What a stage without training made of the model is judged by the held-out pictures.
  void stage(const std::string& name, const std::function<void()>& body);

  // Throws what keeps the graph from being trained at all, before anything is done with it:
  // Error::usage for a batch that doesn't fit, Error::input for a model without weights to train,
  // or without outputs to train by.
  void require_trainable(const Recipe& recipe);
  // Requires: in a stage, once, and nothing before it that must not be done again on resuming.
  // Trains with a fresh optimizer; the teacher, if the recipe wants one, is the original. Throws
  // Error::target when the loss stops being finite, Error::interrupted when the observer asks.
  void train(const Recipe& recipe, const TrainHooks& hooks = {});
  // Whether there are held-out pictures, and classes to tell apart.
  bool can_evaluate() const { return classes_ > 0 && !held_out_.empty(); }
  const std::vector<int64_t>& held_out() const { return held_out_; }  // of the training pictures
  // On the held-out pictures. Requires: can_evaluate().
  Evaluation evaluate();
  // `groups`: of graph() as it is now. Takes units out of graph, optimizer state and masks alike;
  // selections are settled. Throws as require_cut does; then nothing was changed.
  void remove(const Groups& groups, const Removal& removal, const RemoveOptions& options = {});
  // Sets the graph to what a method made of the original by `plan` and `masks`.
  void adopt(Graph graph, Plan plan, NamedTensors masks);
  // Sets the graph to one that computes the same, written otherwise; plan and masks stay.
  void rewrite(Graph graph);
  void mask(const NamedTensors& masks, Masking masking);
  void unmask();

 private:
  struct Run;  // of one `train`
  TrainingSetup setup_of(const Recipe& recipe) const;
  NamedTensors all_masks() const;
  void remark_on_objective(const Recipe& recipe);
  void train_epoch(Run& run);
  void end_epoch(Run& run);
  int64_t epochs_of_stage() const;  // done so far
  void keep(Run& run);              // what the trainer has, into the state
  void save();

  Graph original_;
  SessionData data_;
  Trainer& trainer_;
  Observer& observer_;
  SessionOptions options_;
  Kept kept_;
  int64_t classes_ = 0;
  std::optional<Objective> objective_;  // once something was to be trained
  bool remarked_ = false;
  std::vector<int64_t> training_, held_out_;  // pictures
  SessionState state_;
  std::shared_ptr<const Traced::Found> found_;  // by tracing state_.graph; null: it has changed
  int64_t next_stage_ = 0;
  std::string stage_name_;
  bool trained_ = true;   // in this stage; there is none yet
  bool changed_ = false;  // what the model computes, by other means than training
  bool loaded_ = false;   // the trainer holds state_.graph as it is
};

}  // namespace coppice
