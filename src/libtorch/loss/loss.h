// What training minimises, from the student's and the teacher's outputs. With the first output as
// scores of classes, d the share of distillation:
//
//   loss = (1 - d) labels(first)  +  d teacher(first)  +  mean of error(other) over the others
//
//   of logits         labels   cross entropy, label smoothing; of logits / label_temperature
//                     teacher  T^2 KL(softmax(teacher / T) || softmax(student / T))     [N,
//                     classes]
//   of probabilities  the same of their logarithm, whose softmax they are again
//   of chances        labels   binary cross entropy of each class, summed over the classes
//                     teacher  T^2 KL of each class, summed over the classes
//
// No labels speak of the other outputs, so the teacher's are followed there whatever d is, at a
// weight of 1 for all of them together: a second output takes nothing from the first. Without
// scores no output stands out, and
//
//   loss = mean of error(output) over all outputs
//
//   error(output) = mean over the channels c of log(1 + mean of ((student - teacher) / s_c)^2)
//   s_c           = the deviation of the teacher's channel; at least a hundredth of its size, and a
//                   thousandth of the geometric mean of the channels' deviations
//
// so a detector's scores between 0 and 1 count as its boxes in pixels do. The logarithm, which is
// hardly one below a deviation of error, and the least s_c are for channels that are nearly
// constant: one that is far off in its own small deviations doesn't drown the others. Channels are
// axis 1 of four axes and more, the last of two, of three the shorter of axes 1 and 2 ([N, anchors,
// 85], [N, 84, places]); where one has a single number, all numbers are one channel.
//
// Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015,
// arXiv:1503.02531, section 2. Differs: outputs that aren't classes, chances, and nets of several
// outputs have no counterpart there.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "training/recipe.h"
#include "training/scores.h"

namespace coppice::train {

// Logits from what the first output holds: itself, its logarithm, or its log odds.
at::Tensor logits_from(const at::Tensor& output, ScoreKind scores);

struct Targets {
  at::Tensor labels;                     // [N], int64; undefined: none
  std::vector<at::Tensor> teacher;       // by output; undefined: not followed there; empty: nowhere
  int64_t classes = 0;                   // of the first output; 0: it isn't scores
  ScoreKind scores = ScoreKind::logits;  // what its logits are of
};
// `outputs`: the first as logits where there are classes; others may be of any shape, undefined
// where they aren't followed.
at::Tensor loss_of(const std::vector<at::Tensor>& outputs, const Targets& targets,
                   const LossOptions& options);

}  // namespace coppice::train
