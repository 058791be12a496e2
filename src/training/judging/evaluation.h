// Accuracy and loss of a classifier on images of a data set. The next batch is read, decoded and
// preprocessed while the current one runs.
//
//   top-1, top-5   shares of images whose label is among the 1 (5) largest outputs, ties by index
//   loss           mean of -log likelihood of the label, as the outputs are to be read (scores.h):
//                  of logits -log softmax(outputs)[label], of probabilities -log outputs[label],
//                  of chances the binary cross entropy, summed over the classes
//
// An image whose outputs hold a NaN counts as wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "training/judging/diagnosis.h"
#include "training/scores.h"

namespace coppice {

struct Evaluation {
  double top1 = 0, top5 = 0, loss = 0;  // as far as it has come, while it runs
  int64_t images = 0, batch = 0;
  double images_per_second = 0;
  ScoreKind scores = ScoreKind::logits;  // how the loss read the outputs
};

// The first output for a batch of images: N x classes scores.
using Classify = std::function<Tensor(const Tensor& images)>;

enum class LastBatch { padded, smaller };  // padded: the model's batch is fixed

struct EvaluationJob {
  std::vector<int64_t> indices = {};  // which images
  int64_t batch = 100;
  Shape input = {};  // of the model, without the batch axis
  Preprocessing preprocessing = {};
  LastBatch last_batch = LastBatch::padded;
  ScoreForm form = {};  // of the model; the default takes its outputs for logits
  std::function<void(const Evaluation& so_far)> after_batch = {};  // progress; may throw to stop
  std::vector<Guess>* guesses = nullptr;                           // every image's is appended
};
// Throws Error::input where the scores aren't those of as many images.
Evaluation evaluate(const Classify& classify, const Dataset& dataset, const EvaluationJob& job);

// Why the model isn't one that makes something of images; nothing where one float32 image batch
// goes in and something comes out.
std::optional<std::string> why_not_for_images(const Graph& graph);
// The same for a graph whose first input alone takes the images.
std::optional<std::string> why_no_images_first(const Graph& graph);
// Why the model's first output can't be taken as the data set's classes, as a sentence; nothing
// where it can: the model is for images, and [N, C] or [N, C, 1, 1] comes out with as many
// classes as the data set has. (A .npy file only says which classes occur in it, so a model
// may have more; and any may where labels are said to be the model's class indices.)
std::optional<std::string> why_not_classifier(const Graph& graph, const Dataset& dataset);
// Throws Error::input with that sentence.
void require_classifier(const Graph& graph, const Dataset& dataset);
// The same for training: without labels that fit, a share of 1 of the loss must follow the
// original, and where the model has scores of classes it must be `distillation` that says so.
void require_targets(const Graph& graph, const Dataset& dataset,
                     std::optional<double> distillation);

// C where the first output is float32 [N, C] or [N, C, 1, 1], whatever the labels are; else 0.
int64_t scores_of(const Graph& graph);

// The batch that the model's input is fixed at, or 0.
int64_t fixed_batch(const Graph& graph);

}  // namespace coppice
