// A layer that multiplies with a weight and sums over input channels, whatever its operator: Conv,
// ConvTranspose, Gemm and MatMul as one, said once for who folds, masks, runs, corrects or draws
// it.
//
//   y = scale * W x + bias_scale * b      at every position; W has an axis of outputs, one of
//   inputs
//
// It says how the node reads that input as its weight, not whether a constant stands there.
#pragma once

#include <optional>

#include "graph/graph.h"

namespace coppice {

struct LinearLayer {
  enum class Kind {
    convolution,             // the weight's other axes are a window, alike for
    transposed_convolution,  // which the outputs of a group are an axis, not those of all
    product,                 // of matrices; other axes are a batch
  };
  Kind kind;
  int data, weight;  // the node's inputs that they are
  int bias;          // -1 where the operator has none
  // Axes of the weight, and of what is read and given; negative ones count from the end.
  int64_t outputs, inputs, channels, results;
  // Of a convolution: the weight's `inputs` are those of one group; of a transposed one its
  // outputs.
  int64_t groups = 1;
  double scale = 1, bias_scale = 1;

  bool convolves() const { return kind != Kind::product; }
};

// Nothing for any other operator, and for an input that isn't read as a weight.
std::optional<LinearLayer> linear_layer_of(const Node& node, int weight = 1);

// Whether it is one whose operator has no input for a bias: that can only stand behind it.
inline bool is_linear_without_bias(const Node& node) {
  const auto layer = linear_layer_of(node);
  return layer && layer->bias < 0;
}

inline int64_t from_the_front(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

}  // namespace coppice
