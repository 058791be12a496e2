// Conv, Gemm and MatMul as one thing: a layer that sums over input channels and taps,
//
//   y_o = bias_o + sum_{i, t} w_oit x_i(t)
//
// where a tap is a kernel's element or, behind a Flatten, a position. The header needs Eigen, so
// only modules evidence and prune include it.
#pragma once

#include <optional>
#include <vector>

#include "evidence/modelled/channel_model.h"
#include "graph/infer.h"
#include "graph/views/batch_norm.h"

namespace coppice {

struct Contraction {
  ValueId weight = kNoValue;
  int64_t filter_axis = 0, input_axis = 1;     // of the weight
  int64_t filters = 0, inputs = 0, group = 1;  // O; I / G: input channels that a filter reads
  Shape kernel;                                // sizes of the taps' axes; empty for one tap
  std::vector<int64_t> dilations;              // by axis of the kernel
  // Share of output positions at which the tap lies within the image, not in the zeros around.
  Vector coverage;                    // [taps]
  double scale = 1;                   // of all products: alpha of Gemm
  int64_t in_axis = 1, out_axis = 1;  // of the values
  int64_t taps() const { return coverage.size(); }
};

// Empty for any other node, and where the weight isn't a float32 constant of the node's own shape.
// `folded`: of the data input (ChannelModel::folded).
std::optional<Contraction> contraction_of(const Graph& graph, const Node& node,
                                          const Inferred& inferred, const Shape& folded);

// [O, I/G * taps]: the taps of an input channel stand together.
Matrix weight_of(const Graph& graph, const Contraction& layer);
// Writes such a matrix into the layer's weight tensor.
void set_weight(Tensor& tensor, const Contraction& layer, const Matrix& weight);

// The numbers of a float32 constant of one axis, or one that counts, and writing them.
Vector vector_of(const Graph& graph, ValueId id);
void set_vector(Graph& graph, ValueId id, const Vector& vector);
// What BatchNormalization multiplies with, by channel: scale / sqrt(variance + epsilon).
Vector factor_of(const Graph& graph, const BatchNorm& norm);

// [O]: zeros where there is none; empty where it isn't one constant number for each filter.
std::optional<Vector> bias_of(const Graph& graph, const Node& node, int64_t filters);

// [taps, taps]: how the same channel correlates with itself from tap to tap. Neighbours in
// images look alike, so it falls off as kNeighbour ^ distance.
Matrix tap_correlation(const Contraction& layer);

// For one group: weight [O, I * taps], covariance [I, I] -> [O, O], and its diagonal alone.
Matrix output_covariance(const Matrix& weight, const Matrix& covariance, const Matrix& taps);
Vector output_variance(const Matrix& weight, const Matrix& covariance, const Matrix& taps);
// [O]: sum of weights times means, as far as the taps see the image.
Vector output_mean(const Contraction& layer, const Matrix& weight, const Vector& mean);

}  // namespace coppice
