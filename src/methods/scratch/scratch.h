// Training a structure from weights drawn anew: the control that says whether a pruning's weights
// are worth anything, or its structure alone.
//
// Source: Liu, Sun, Zhou, Huang, Darrell, "Rethinking the Value of Network Pruning", ICLR 2019,
// arXiv:1810.05270. Differs: see the entries in scratch_methods.cpp.
#pragma once

#include "methods/outcome.h"
#include "methods/scratch/budget.h"
#include "session/session.h"

namespace coppice {

struct ScratchOptions {
  ScratchBudget budget = {};
  uint64_t seed = 0;  // of the weights
  // Whether zeros of a sparse original, or of a sparse model that is the structure, are part of it.
  SessionOptions::Zeros zeros = SessionOptions::Zeros::keep;
  // For how long it will train, and why.
  std::function<void(const std::string&)> remark = [](const std::string&) {};
};

// What is to be trained, and whose `before` the dense net is: a cut of the session's original or
// the original masked (one_shot.h, mask_weights.h), or another graph with an empty plan.
struct ScratchStructure {
  Outcome outcome = {};
  bool of_original = true;  // the plan makes it of the original
};

// Draws the structure's weights (session/reinitialise.h: fans are those that are left, also beside
// masks) and trains them by the recipe, whose epochs are the dense net's. Requires: the session
// keeps nothing of its original by itself. Facts: "scratch_epochs"; "training_macs" and
// "dense_training_macs", multiply-accumulates of all forward passes in training. The stage that
// draws notes "cost_ratio".
Outcome train_from_scratch(Session& session, ScratchStructure structure, const Recipe& recipe,
                           const ScratchOptions& options);

}  // namespace coppice
