// Accuracy and loss of a classifier on a data set. The next batch is read, decoded and preprocessed
// while the current one runs.
//
//   top-1, top-5   shares of images whose label is among the 1 (5) largest outputs, ties by index
//   loss           mean of -log softmax(outputs)[label]: outputs are taken as logits, whatever they
//                  are; for a model that ends in a softmax it is no likelihood, but comparable
//
// An image whose outputs hold a NaN counts as wrong.
#pragma once

#include <cstdint>
#include <string>

#include "cli/options.h"
#include "data/dataset.h"
#include "graph/graph.h"

namespace coppice {

struct Evaluation {
  double top1 = 0, top5 = 0, loss = 0;
  int64_t images = 0, batch = 0;
  double images_per_second = 0;
};

struct EvaluationOptions {
  int64_t batch = 0;  // 0: chosen by the picture size
  int64_t limit = 0;  // the first so many pictures; 0: all
  std::string doing = "evaluating";
};

// Throws Error::input unless the model takes one float32 picture batch and its first output is
// [N, C] or [N, C, 1, 1] with as many classes as the data set has. (A .npy file only says which
// classes occur in it, so a model may have more.)
void require_classifier(const Graph& graph, const Dataset& dataset);

// --preprocess if it was given, else what the model's metadata says, else the data set's own
// statistics, with a warning. Throws Error::usage where there are none.
Preprocessing choose_preprocessing(const std::string& option, const Graph& graph,
                                   const Dataset& dataset, const Console& console);
// The metadata key under which a model carries its preprocessing.
inline constexpr char kPreprocessKey[] = "coppice.preprocess";

// Requires: require_classifier. Takes the graph, to use its weights up. Shows progress; throws
// Error::interrupted on Ctrl-C.
Evaluation evaluate(Graph graph, const Dataset& dataset, const Preprocessing& preprocessing,
                    const EvaluationOptions& options, const Invocation& run);

// {"top1", "top5", "loss", "images", "images_per_second", "batch"}
Json to_json(const Evaluation& evaluation);

}  // namespace coppice
