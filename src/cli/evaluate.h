// session/evaluation.h with the command's progress and metrics, and the choice of preprocessing.
#pragma once

#include <cstdint>
#include <string>

#include "cli/options.h"
#include "session/evaluation.h"

namespace coppice {

// What computes the outputs: the runtime, or LibTorch as in training.
enum class Engine { runtime, train };

enum class Metrics { kept, none };  // in the run folder

struct EvaluationOptions {
  Engine engine = Engine::runtime;
  std::string device = "cpu";             // or cuda, for Engine::train
  int64_t batch = 0;                      // 0: chosen by the picture size
  std::vector<int64_t> indices = {};      // which pictures; at least one
  std::vector<Guess>* guesses = nullptr;  // every picture's is appended
  std::string doing = "evaluating";
  Metrics metrics = Metrics::kept;
};

enum class PreprocessingFrom { option, metadata, dataset };
const char* name_of(PreprocessingFrom from);  // "--preprocess", "metadata", "data set"
// For sentences: "what the model's metadata says".
std::string described(PreprocessingFrom from, const std::string& dataset);

struct ChosenPreprocessing {
  Preprocessing how;
  PreprocessingFrom from = PreprocessingFrom::option;
};
// --preprocess if it was given, else what the model's metadata says, else the data set's own
// statistics, with a warning. Throws Error::usage where there are none.
ChosenPreprocessing choose_preprocessing(const std::string& option, const Graph& graph,
                                         const Dataset& dataset, const Console& console);
// The metadata key under which a model carries its preprocessing.
inline constexpr char kPreprocessKey[] = "coppice.preprocess";

// Requires: require_classifier. Takes the graph, to use its weights up. Shows progress; throws
// Error::interrupted on Ctrl-C.
Evaluation evaluate(Graph graph, const Dataset& dataset, const Preprocessing& preprocessing,
                    const EvaluationOptions& options, const Invocation& run);

// {"top1", "top5", "loss", "loss_of", "images", "images_per_second", "batch"}
Json to_json(const Evaluation& evaluation);

}  // namespace coppice
