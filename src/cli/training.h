// Training as the commands offer it: its options, and a session that shows progress, keeps its
// checkpoint in the run folder and goes on from there with --resume.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/judge.h"
#include "session/session.h"

namespace coppice {

struct TrainingOptions {
  int64_t epochs = 0, batch = 128;
  std::string optimizer = "sgd", schedule = "cosine", augment, device = "cpu", zeros = "keep";
  std::optional<double> learning_rate, clip_norm, norm_momentum;
  double momentum = 0.9, weight_decay = 5e-4, label_smoothing = 0, warm_up = 0;
  double temperature = 4;
  std::optional<double> distillation, held_out;  // absent: what is usual, see training.cpp
  bool from_scratch = false;                     // a file is taken for an untrained model
  bool resume = false;
};

void add_training_options(CLI::App& app, TrainingOptions& options);
// The options that aren't at their defaults, as the command line says them.
Request request_of(const TrainingOptions& options);
void add_label_offset(Request& request, std::optional<int64_t> offset);

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
  void finish();  // the result is in place: the checkpoint goes
  // {"epochs", "learning_rate", "distillation", "augmentation", "history", "stages", "kept",
  // "best", "parameters": {"trained", "all"}, "remarks"}; `best` is the last training stage's best epoch by
  // the held-out pictures.
  Json to_json() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The run folder of a command that writes `output`, where --run-dir names none.
std::string default_run_folder(const std::string& output);

}  // namespace coppice
