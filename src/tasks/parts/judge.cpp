// See judge.h.
#include "tasks/parts/judge.h"

#include <algorithm>

#include "data/loader.h"
#include "graph/infer.h"
#include "model/load.h"
#include "session/options/training_options.h"

namespace coppice {

Judge::Judge(DataChoice data, std::unique_ptr<Dataset> images, const Graph& graph, Watcher& watcher)
    : data_(std::move(data)),
      dataset_(std::move(images)),
      preprocessing_(choose_preprocessing(data_.preprocess, graph, *dataset_)),
      images_(images_to_judge(*dataset_)),
      judges_(!why_not_classifier(graph, *dataset_)),
      watcher_(watcher) {
  if (!preprocessing_.warning.empty()) watcher_.warn(preprocessing_.warning);
  if (why_not_for_images(graph)) return;  // whoever needs images says so
  const Shape batch = input_shape(graph, graph.inputs.front(), {});
  const Shape input(batch.begin() + 1, batch.end());
  if (const auto why = why_hardly_seen(*dataset_, images_.indices, preprocessing(), input)) {
    watcher_.warn(*why);
  }
}

void Judge::hold_out(const std::vector<int64_t>& held_out) {
  images_ = images_to_judge(*dataset_, held_out);
}

void Judge::limit(int64_t images) {
  if (images == 0) return;
  images_.indices = sample_images(dataset_->size(), images);
}

Evaluation Judge::evaluate(Graph graph, EvaluationOptions options) const {
  options.indices = images_.indices;
  return coppice::evaluate(std::move(graph), *dataset_, preprocessing(), options, watcher_);
}

Evaluation Judge::evaluate_given(Graph graph, const std::string& name,
                                 EvaluationOptions options) const {
  std::vector<Guess> guesses;
  options.guesses = &guesses;
  const int64_t classes = scores_of(graph);
  const Evaluation found = evaluate(std::move(graph), options);
  if (is_zoo_name(name)) return found;
  if (const auto why = why_little(guesses, classes, "images")) watcher_.warn(*why);
  return found;
}

Evaluation Judge::evaluate_trained(Graph graph, std::optional<double> held_out,
                                   EvaluationOptions options) const {
  std::vector<Guess> guesses;
  options.guesses = &guesses;
  const int64_t classes = scores_of(graph);
  const Evaluation found = evaluate(std::move(graph), options);
  const bool learnt = held_out && !knows_little(*held_out, classes);
  if (!learnt || images_.by != JudgedBy::test) return found;
  if (knows_little(found.top1, classes)) {
    watcher_.warn(explain_test_part(diagnose(guesses, classes, labels_of(*dataset_)), *held_out));
  }
  return found;
}

std::optional<std::string> Judge::why_little(const std::vector<Guess>& guesses, int64_t classes,
                                             const std::string& images,
                                             const Dataset* training) const {
  const auto right = std::ranges::count_if(
      guesses, [](const Guess& guess) { return guess.output == guess.label; });
  const double top1 = static_cast<double>(right) / static_cast<double>(guesses.size());
  if (!knows_little(top1, classes)) return std::nullopt;
  LabelRange labels = labels_of(*dataset_);
  if (training) labels = joined(labels, labels_of(*training));
  const Diagnosis found = diagnose(guesses, classes, labels);
  return explain(found, {.images = images,
                         .preprocessing = to_string(preprocessing()),
                         .from = described(preprocessing_.from, dataset_->name()),
                         .label_offset = dataset_->label_offset()});
}

Json Judge::to_json() const {
  Json json = {{"judged_by", judges_ ? Json(by()) : Json()},
               {"preprocess", to_string(preprocessing())},
               {"preprocess_from", name_of(preprocessing_.from)}};
  if (const auto offset = dataset_->label_offset()) json["label_offset"] = *offset;
  return json;
}

Judge open_judge(const Settings& settings, const Graph& graph, Fit fit, Watcher& watcher) {
  const DataChoice data = data_of(settings);
  std::unique_ptr<Dataset> images = data.open(Split::test);
  if (fit == Fit::classifier) require_classifier(graph, *images);
  if (fit == Fit::targets) require_targets(graph, *images, settings.given(kDistillation));
  return Judge(data, std::move(images), graph, watcher);
}

}  // namespace coppice
