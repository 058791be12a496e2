// Training as the commands do it: a session that shows progress, keeps its checkpoint in the run
// folder and goes on from there with --resume.
#pragma once

#include <memory>
#include <string>

#include "cli/judge.h"
#include "session/session.h"
#include "session/training_options.h"

namespace coppice {

struct TrainingChoice {
  Settings settings;  // of session/training_options.h, and more
  Start start = Start::pruned;
  Request request = {};  // everything that the result depends on
  bool resume = false;   // an unfinished run
  // What gives the learning rate, for a message, and whether it was given, so that a model is
  // trained whatever it knows; empty: --lr and the usual one.
  std::string rate_hint = {};
  bool has_rate = false;
};

// --resume
void add_resume(CLI::App& app, bool& resume);

class TrainingRun {
 public:
  // Trains on the training part of the data that `judge` judges by. Throws Error::usage where the
  // run folder has an unfinished run and --resume wasn't given, Error::input where a model that
  // isn't to start untrained gets next to nothing right and no option says that this is as it
  // should be.
  TrainingRun(const TrainingChoice& choice, Graph original, const Judge& judge,
              const Invocation& run);
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
