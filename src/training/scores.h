// What the first output of a classifier says of the classes, and how a loss has to read it.
//
//   logits         numbers whose softmax is a distribution; log-probabilities are some, too
//   probabilities  one distribution over the classes: nothing below 0, and equal sums of all rows
//   chances        a chance for each class by itself, as a Sigmoid gives it
//
// Where the output is a Softmax's, a LogSoftmax's or a Sigmoid's, reshapes apart, that decides.
// Exporters also write a softmax in pieces (Exp, ReduceSum, Div), and put a Cast, a Clip or a Mul
// behind it. So otherwise two things decide together: what the graph lets the output hold
// (value_ranges.h), and what it does hold for some images. A Sigmoid's chances are known behind a
// constant factor, too. Numbers that merely happen to lie between 0 and 1 remain logits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "graph/graph.h"
#include "training/value_ranges.h"

namespace coppice {

enum class ScoreKind { logits, probabilities, chances };

// What the graph alone says. The default knows nothing, and takes any output for logits.
struct ScoreForm {
  Range range = {};                       // of the first output
  std::optional<ScoreKind> certain = {};  // where no image need be looked at
  // What the last Softmax or Sigmoid reads, else the first output.
  ValueId logits = kNoValue;
  double scale = 1;  // what a constant multiplies a Sigmoid's chances with: 100 gives percent
};
ScoreForm score_form(const Graph& graph);

// `outputs`: the first output for so many images, as many scores for each.
ScoreKind kind_of(const ScoreForm& form, std::span<const float> outputs, int64_t images);

// "logits", "probabilities" or "chances".
std::string name_of(ScoreKind scores);

// Where a logarithm is taken of what may be 0. The least that is told from 0 keeps its gradient
// finite in float32; the least doubt is the distance from 1 to the next float32 below it.
inline constexpr double kLeastProbability = 1e-30, kLeastDoubt = 0x1p-24;

}  // namespace coppice
