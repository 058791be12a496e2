// Which values of a graph the loss looks at, for the student and for the teacher alike.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "training/trainer.h"

namespace coppice::train {

class LossValues {
 public:
  enum class Side { student, teacher };
  LossValues(const Graph& graph, const TrainingSetup& setup, Side side);

  // What to ask the graph for: the outputs that are looked at, the first as its logits where it has
  // some.
  const std::vector<ValueId>& wanted() const { return wanted_; }
  ScoreKind scores() const { return scores_; }  // what the logits are of
  // By output but for those that are parts of the loss, undefined where it isn't looked at; the
  // first as logits. `found`: as `wanted`.
  std::vector<at::Tensor> by_output(const std::vector<at::Tensor>& found) const;
  // What the outputs that are parts of the loss add to it; undefined where there are none.
  at::Tensor sum_of_losses(const std::vector<at::Tensor>& found) const;

 private:
  std::vector<ValueId> wanted_;
  std::vector<size_t> outputs_;  // of the wanted values that are no losses, which come first
  std::vector<double> weights_;  // of those that are
  size_t count_ = 0;             // of the graph's outputs that are no losses
  ScoreKind scores_ = ScoreKind::logits;
  ScoreKind read_as_ = ScoreKind::logits;  // what the wanted value of the first output still is
};

// By output: whether its size is known before the images are (output_gradients.h).
std::vector<char> computable_outputs(const Graph& graph);

}  // namespace coppice::train
