// Judging as the tasks do it: by which images, shown how, under which name; and the warnings
// and refusals that keep a number from meaning something else than it seems to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/preprocessing.h"
#include "session/options/data_options.h"
#include "tasks/parts/evaluate.h"
#include "training/judging/judging.h"

namespace coppice {

class Judge {
 public:
  // `images`: what `data` opens for Split::test. Warns where preprocessing had to be guessed, and
  // where the model sees little of an image.
  Judge(DataChoice data, std::unique_ptr<Dataset> images, const Graph& graph, Watcher& watcher);

  // A training here leaves these training images out: where there is no test part they judge.
  void hold_out(const std::vector<int64_t>& held_out);
  // Only so many of the images, drawn at random, but always the same ones; 0: all.
  void limit(int64_t images);

  // Requires: require_classifier. `options.indices` are the judge's.
  Evaluation evaluate(Graph graph, EvaluationOptions options) const;
  // The same for a model that was given, not made here: warns where it gets next to nothing right.
  // `name`: of the model; untrained ones of the zoo know nothing, and that is no surprise.
  Evaluation evaluate_given(Graph graph, const std::string& name, EvaluationOptions options) const;

  // The same for a model that was trained here. It is warned of where it gets next to nothing of
  // the test part right although it got `held_out`, a share, of the images held out: then those
  // of one part have other labels.
  Evaluation evaluate_trained(Graph graph, std::optional<double> held_out,
                              EvaluationOptions options) const;

  // What is probably wrong where `guesses` are hardly better than chance; nothing where they are.
  // `training`: the other part, whose labels must bear what is proposed, too.
  std::optional<std::string> why_little(const std::vector<Guess>& guesses, int64_t classes,
                                        const std::string& images,
                                        const Dataset* training = nullptr) const;

  const DataChoice& data() const { return data_; }
  const Dataset& dataset() const { return *dataset_; }
  const Preprocessing& preprocessing() const { return preprocessing_.how; }
  const char* by() const { return name_of(images_.by); }
  bool judges() const { return judges_; }  // the model has scores of the data's classes
  // {"judged_by", "preprocess", "preprocess_from"}, and "label_offset" where it was given;
  // "judged_by" is null where the model has no scores of the data's classes.
  Json to_json() const;

 private:
  DataChoice data_;
  std::unique_ptr<Dataset> dataset_;
  ChosenPreprocessing preprocessing_;
  JudgedImages images_;
  bool judges_;
  Watcher& watcher_;
};

// What must hold of a model and the images that judge it (training/judging/evaluation.h).
enum class Fit {
  classifier,  // require_classifier
  targets,     // require_targets
  unchecked,   // the session says so
};

// Judges by the data that `settings` name. Throws Error::input where they don't fit.
Judge open_judge(const Settings& settings, const Graph& graph, Fit fit, Watcher& watcher);

}  // namespace coppice
