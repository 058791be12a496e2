// What training asks of the outputs of a model: decided once, by the original and the data alone,
// so that a resumed run asks the same.
//
//   first output   scores of classes, which labels and a teacher speak of, or numbers, which only a
//                  teacher does (trainer.h, scores.h)
//   the others     no labels speak of them; they are kept near to the original's where a gradient
//                  comes from them (output_gradients.h)
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/images/preprocess.h"
#include "graph/graph.h"
#include "training/recipe.h"
#include "training/trainer.h"

namespace coppice {

struct Objective {
  int64_t classes = 0;  // of the first output, where it is scores
  TrainingSetup::Labels labels = TrainingSetup::Labels::used;
  ScoreKind scores = ScoreKind::logits;
  std::vector<std::string> others;   // names of the outputs beside the first that can be followed
  std::vector<std::string> remarks;  // what the user should know of the first output and of those
                                     // that can't be followed
};

// Images by which the form of an output is judged.
struct SomeImages {
  const Dataset& dataset;
  const Preprocessing& preprocessing;
  std::span<const int64_t> indices;
};
// Throws Error::input, saying what to do, where no gradient comes from any output, or none from the
// first although labels speak of it.
Objective objective_of(const Graph& original, const SomeImages& images);

// Whether a teacher is needed, and what to say of the outputs beside the first; "" for nothing.
bool needs_teacher(const Objective& objective, const LossOptions& loss);
std::string remark_on_others(const Objective& objective, const LossOptions& loss);

}  // namespace coppice
