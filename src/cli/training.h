// Training as the commands do it: a session that shows progress, keeps its checkpoint in the run
// folder and goes on from there with --resume.
#pragma once

#include <memory>
#include <string>

#include "cli/judge.h"
#include "cli/training_options.h"
#include "session/session.h"

namespace coppice {

// What is usual depends on it: a net is trained from the beginning, trained on, or brought back
// after a cut, when its original can teach it.
enum class Start { untrained, trained, pruned };

class TrainingRun {
 public:
  // Trains on the training part of the data that `judge` judges by. `request`: everything that the
  // result depends on. Throws Error::usage where the run folder has an unfinished run and --resume
  // wasn't given, Error::input where a model that isn't to start untrained gets next to nothing
  // right and no option says that this is as it should be.
  TrainingRun(const TrainingOptions& options, Start start, Graph original, const Judge& judge,
              Request request, const Invocation& run);
  ~TrainingRun();

  Session& session();
  const Recipe& recipe() const;
  // The share that the model as it now is got right of the pictures held out; nothing where none
  // were, or where it was changed since.
  std::optional<double> held_out_top1() const;
  void finish();  // the result is in place: the checkpoint goes
  // {"epochs", "learning_rate", "distillation", "augmentation", "history", "stages", "kept",
  // "best", "parameters": {"trained", "all"}, "remarks"}; `best` is the last training stage's best
  // epoch by the held-out pictures.
  Json to_json() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The run folder of a command that writes `output`, where --run-dir names none.
std::string default_run_folder(const std::string& output);

}  // namespace coppice
