// For how many epochs a structure is trained from scratch.
//
// Source: Liu, Sun, Zhou, Huang, Darrell, "Rethinking the Value of Network Pruning", ICLR 2019,
// arXiv:1810.05270, Sec. 3, and their code: as many as the dense net (scratch-E), or as many as
// cost the same computation (scratch-B). Differs: by multiply-accumulates, unless told; by the
// released script's counter the epochs of all their structures on CIFAR are the same
// (published_structures_test.cpp). Their script for single weights counts two dense models, so that
// its scratch-B is scratch-E; here zeros count nothing, as their text has it.
#pragma once

#include <cstdint>

#include "graph/graph.h"
#include "prune/masks/masks.h"

namespace coppice {

struct ScratchBudget {
  enum class Length { dense, matched };  // scratch-E, scratch-B
  enum class Rule {
    paper,     // E r, r being what the dense net costs over what the structure does
    imagenet,  // the same below r = 2, and never more than 2 E, as on ImageNet
    strict,    // E r + the epochs that the rival was fine-tuned for
  };
  enum class Counter { macs, flops };  // graph/views/operations.h

  Length length = Length::dense;
  Rule rule = Rule::paper;
  Counter counter = Counter::macs;
  int64_t rival = 0;  // epochs of its fine-tuning, after the dense net's
};

// What one pass costs. At least 1.
struct ScratchCosts {
  int64_t dense = 1, structure = 1;
  double ratio() const { return static_cast<double>(dense) / static_cast<double>(structure); }
};

// Of one image. What masks hold at zero costs nothing.
int64_t cost_of_pass(const Graph& graph, const Masks& masks, ScratchBudget::Counter counter);

// Whole epochs, rounded down, at least 1. `dense`: those of the dense net's schedule.
int64_t scratch_epochs(int64_t dense, const ScratchCosts& costs, const ScratchBudget& budget);

}  // namespace coppice
