// Makes up for channels that leave, before they do, by the means and covariances of what stays and
// of what goes: those that the model says of itself, without data, or measured ones.
//
//   bias   a removed channel's mean times the weights that read it goes into the bias of the layer
//          that reads it, or into the running mean of the BatchNormalization behind that layer
//   merge  a removed channel is written as a sum of kept ones, a_c ~ sum_k alpha_ck a_k + rest, by
//          least squares under the model's covariances: W[:, k] += alpha_ck W[:, c]; the mean of
//          the rest goes where `bias` puts means
//   scale  the running variance of the BatchNormalization behind a layer shrinks by the share of
//          the variance that the layer loses, so that its outputs vary as before
//
// Means, covariances: evidence/moments.h.
//
// Source: bias: Nagel, van Baalen, Blankevoort, Welling, "Data-Free Quantization through Weight
// Equalization and Bias Correction", ICCV 2019, arXiv:1906.04721, Sec. 4.2.
// Differs: of removed channels, where the paper corrects what rounding changed; zeros around the
// image are counted in.
// Source: merge: Kim, Kim, Park, Jeon, "Neuron Merging: Compensating for Pruned Neurons", NeurIPS
// 2020, arXiv:2010.13160, Sec. 3 and 4.
// Differs: a removed channel goes to all kept ones by least squares with a small ridge, under
// covariances of activations with a constant rest, where the paper gives it to the one with the
// largest cosine of filters, if that is large, and sees Relu alone; also through residual sums.
// Source: scale: none known without data; with data it is the usual resetting of statistics.
#pragma once

#include "evidence/requests.h"
#include "groups/groups.h"

namespace coppice {

struct CompensationOptions {
  bool bias = false, merge = false, scale = false;
  Measure measure = {};  // of the inputs of layers that lose some; null: what the model says
  bool any() const { return bias || merge || scale; }
};

// How many layers (Conv, ConvTranspose, Gemm, MatMul) lose inputs, and what was done for them.
struct Compensated {
  int64_t layers = 0;
  int64_t bias = 0, merge = 0, scale = 0;
  int64_t unknown = 0;  // nothing is known of their inputs, or there is no place to correct
  friend bool operator==(const Compensated&, const Compensated&) = default;
};

// Changes the weights, biases and running statistics of the layers that lose inputs; the units are
// still there, and cut or masked afterwards. A Conv or Gemm without a bias may get one, which joins
// `groups`. Weights and biases that several nodes read are left alone. `groups` must have been
// found on this graph as it is now. The same input gives the same bits. Cubic in channels. Throws
// what `options.measure` throws.
Compensated compensate(Graph& graph, Groups& groups, const Removal& removal,
                       const CompensationOptions& options);

}  // namespace coppice
