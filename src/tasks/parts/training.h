// Training as the tasks do it: a session that tells how far it is, keeps its checkpoint in the run
// folder and goes on from there; and the one path of everything that trains.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "session/options/training_options.h"
#include "session/session.h"
#include "tasks/parts/common.h"
#include "tasks/parts/judge.h"
#include "tasks/parts/output_path.h"

namespace coppice {

struct TrainingChoice {
  Settings settings;  // of session/options/training_options.h, and more
  Start start = Start::pruned;
  // Whether what the original has of zeros and shared values stays, unless --zeros lets go of it.
  bool keeps = true;
  Request request = {};  // everything that the result depends on
  bool resume = false;   // an unfinished run
  // What gives the learning rate, for a message, and whether it was given, so that a model is
  // trained whatever it knows; empty: --lr and the usual one.
  std::string rate_hint = {};
  bool has_rate = false;
  int64_t search_images = 0;  // that judge what is tried, and train nothing
};

// What a training starts from: of the zoo, nothing; of a file, what the task says.
Start start_of(const std::string& model, Start otherwise);
// The task's name, the model by its sum, `more`, every setting that isn't the default, and the
// seed.
Request request_of(const std::string& task, const std::string& sha256, const Settings& settings,
                   uint64_t seed, const Request& more = {});

// What a training reads beside the model: data, and a teacher.
void reads_for_training(Places& places, const Settings& settings);

class TrainingRun {
 public:
  // Trains on the training part of the data that `judge` judges by. Throws Error::usage where the
  // run folder has an unfinished run that is not to be resumed, Error::input where a model that
  // isn't to start untrained gets next to nothing right and no option says that this is as it
  // should be.
  TrainingRun(const TrainingChoice& choice, Graph original, const Judge& judge,
              const CommonRequest& common, Watcher& watcher);
  ~TrainingRun();

  Session& session();
  const Recipe& recipe() const;
  // The share that the model as it now is got right of the images held out; nothing where none
  // were, or where it was changed since.
  std::optional<double> held_out_top1() const;
  const std::filesystem::path& checkpoint() const;
  // Of a run that failed before it updated anything: nothing stays that would have to be resumed.
  void forget_start() const;
  // {"epochs", "learning_rate", "distillation", "augmentation", "history", "stages", "kept",
  // "best", "parameters": {"trained", "all"}, "remarks"}; `best` is the last training stage's best
  // epoch by the held-out images.
  Json to_json() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct TrainedModel {
  Graph graph;  // its metadata say its preprocessing
  std::optional<Evaluation> before = {},
                            after = {};  // nothing where it has no scores of the classes
  Json training = {};                    // of TrainingRun
  std::filesystem::path checkpoint = {};

  void finish() const;  // the result is in its place
};

// Whether the original is judged, too, and what the judging is called while it goes on.
struct TrainingJudged {
  enum class Original { judged, left } original = Original::judged;
  std::string doing = "evaluating";
  bool result = true;  // by the images that judge; what is only tried isn't shown them
};

// What is done in the session; gives the graph that comes of it.
using Work = std::function<Graph(Session& session, const Recipe& recipe)>;

// Trains the original by `work` on the data of `judge`, and judges what comes of it. Throws what
// TrainingRun and the session throw.
TrainedModel train_and_judge(const TrainingChoice& choice, Graph original, Judge& judge,
                             const TrainingJudged& judged, const CommonRequest& common,
                             Watcher& watcher, const Work& work);

}  // namespace coppice
