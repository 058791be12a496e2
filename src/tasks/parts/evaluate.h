// training/judging/evaluation.h with progress, metrics and a choice of what computes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tasks/parts/watcher.h"
#include "training/judging/evaluation.h"

namespace coppice {

// What computes the outputs: the runtime, or LibTorch as in training.
enum class Engine { runtime, train };

enum class Metrics { told, none };

struct EvaluationOptions {
  Engine engine = Engine::runtime;
  std::string device = "cpu";             // or cuda, for Engine::train
  int64_t batch = 0;                      // 0: chosen by the image size
  std::vector<int64_t> indices = {};      // which images; at least one
  std::vector<Guess>* guesses = nullptr;  // every image's is appended
  std::string doing = "evaluating";
  Metrics metrics = Metrics::told;
};

// Requires: require_classifier. Takes the graph, to use its weights up. Throws Error::interrupted
// where the watcher asks for it.
Evaluation evaluate(Graph graph, const Dataset& dataset, const Preprocessing& preprocessing,
                    const EvaluationOptions& options, Watcher& watcher);

// {"top1", "top5", "loss", "loss_of", "images", "images_per_second", "batch"}
Json to_json(const Evaluation& evaluation);

}  // namespace coppice
