// The options of training, for everything that trains, and the recipe that they make.
#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"
#include "graph/graph.h"
#include "options/settings.h"
#include "session/session.h"
#include "training/recipe.h"
#include "training/trainer.h"

namespace coppice {

// What is usual depends on it: a net is trained from the beginning, trained on, or brought back
// after a cut, when its original can teach it.
enum class Start { untrained, trained, pruned };

extern const CountOption kEpochs;
extern const NumberOption kLearningRate, kDistillation, kHeldOut;
extern const TextOption<std::string> kTeacher;
extern const ChoiceOption<OptimizerOptions::Kind> kOptimizer;
extern const NumberOption kMomentum, kWeightDecay;
extern const ChoiceOption<OptimizerOptions::Momentum> kMomentumForm;
extern const ChoiceOption<OptimizerOptions::Decayed> kDecay;
extern const ChoiceOption<SessionOptions::Zeros> kZeros;
extern const ChoiceOption<std::string> kDevice;
extern const FlagOption kFromScratch;

OptionList training_options();

// Throws Error::usage for options that contradict each other.
void require_consistent(const Settings& settings);
// By what is set, and for all else by what is usual for the graph, the images and the start.
// Throws as require_consistent does.
Recipe recipe_of(const Settings& settings, Start start, const Graph& graph, const Dataset& dataset,
                 uint64_t seed);
// The learning rate that is used where none is set.
double usual_rate(const Settings& settings, Start start, const Graph& graph);
// The share of a data set's images that is held out where none is set.
double usual_held_out(int64_t images);

}  // namespace coppice
