// What a BatchNormalization is, said once for who folds it, runs it, trains it or reads its scales.
//
// Coppice takes models as they are at inference (opset 7 and up): running statistics, one of each a
// channel. A node whose attributes ask for something else is refused where it is run or trained,
// and left alone everywhere else.
#pragma once

#include <optional>

#include "graph/graph.h"

namespace coppice {

// ONNX's own, in whatever mode.
bool is_batch_norm(const Node& node);

enum class BatchNormMode {
  inference,
  training,  // 'training_mode' is on, or 'is_test' off: statistics of the batch
  by_pixel,  // 'spatial' is 0: statistics for each pixel of a channel
};
// Requires: is_batch_norm(batch_norm).
BatchNormMode mode_of(const Node& batch_norm);
bool is_batch_norm_at_inference(const Node& node);

// One at inference that is a function of its data alone.
//
//   y = scale * (x - mean) / sqrt(variance + epsilon) + shift      by channel, axis 1
struct BatchNorm {
  ValueId scale, shift, mean, variance;  // constant float32 of shape [channels]
  double epsilon;
  int64_t channels;
};
std::optional<BatchNorm> batch_norm_of(const Graph& graph, const Node& node);

}  // namespace coppice
