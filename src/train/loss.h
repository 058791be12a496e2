// What training minimises, from the student's and the teacher's outputs.
//
//   loss = (1 - d) cross-entropy(labels, label smoothing)  +  d distillation
//
// Distillation is the mean over the outputs of
//   scores of classes   T^2 KL(softmax(teacher / T) || softmax(student / T))   [N, classes]
//   any other output    mean of ((student - teacher) / standard deviation of the teacher's)^2
// so it needs no labels, and outputs of any size weigh the same.
//
// Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015,
// arXiv:1503.02531, section 2. Differs: outputs that aren't classes have no counterpart there.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "graph/graph.h"
#include "session/recipe.h"

namespace coppice::train {

// The value whose elements are the logits of output 0: the output, or what its Softmax reads.
// (LogSoftmax needs no such care: cross-entropy's own changes nothing about its output.)
ValueId logits_of(const Graph& graph);

struct Targets {
  at::Tensor labels;                // [N], int64; undefined: none
  std::vector<at::Tensor> teacher;  // as the student's outputs; empty: none
  int64_t classes = 0;              // of the first output; 0: it isn't scores
};
// `outputs`: the first are the logits where there are classes; others may be of any shape.
at::Tensor loss_of(const std::vector<at::Tensor>& outputs, const Targets& targets,
                   const LossOptions& options);

}  // namespace coppice::train
