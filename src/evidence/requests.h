// What may be asked of a net's values over many images: a closed list of reductions, because
// whole activations can't be held. Who needs evidence (a criterion, compensation) says so as data
// and gets plain tensors, and needn't know who measured them.
//
//   mean, variance     of each channel, over images and positions; divided by their count
//   mean_absolute      mean |a|
//   zero_share         how often a channel is exactly zero (APoZ), from 0 to 1
//   largest            the largest |a|
//   covariance         of channels with each other at the same position; with `mean` also their
//                      Gram matrix: E[a aT] = covariance + mean meanT
//   pooled             the mean over the positions of each image
//   samples            the channels at a few positions of each image, drawn at random
//   patches            what the layer that computes the value reads for these very positions:
//                      of a Conv the window with its zeros around the image (im2col)
//   labels             of no value: each image's label, from whoever has the images
//
// With gradients, which the trainer has and the runtime hasn't. C is an image's own loss, so that
// a batch's is the mean of these:
//
//   gate_gradients       of each image and channel, the sum over the positions of a dC/da: the
//                        derivative by a gate of 1 that the channel is multiplied with
//   mean_gate_gradients  the same, divided by the positions
//   batch_gate_gradients of each batch and channel, the mean of gate_gradients over its images: the
//                        derivative of the batch's loss
//   scale_saliency       of a BatchNormalization, named by its scale, for each channel the mean
//                        over batches of (scale dC/dscale + shift dC/dshift)^2, C the batch's loss
//   weight_gradients     of a weight, by its name, the mean over images of dC/dw; also of what a
//                        mask holds at zero
//   weight_hessian_gradients
//                        of a weight, half the derivative of |g|^2 by it, which is its part of H g:
//                        g and H are of the batch's loss by all weights that are asked for so at
//                        once; the mean over batches, weighted by their images
//
// Sources: zero_share: Hu, Peng, Tai, Tang, "Network Trimming", 2016, arXiv:1607.03250, eq. 1.
// mean_gate_gradients: Molchanov, Tyree, Karras, Aila, Kautz, ICLR 2017, arXiv:1611.06440, eq. 8,
// before its absolute value and its mean over images. batch_gate_gradients, scale_saliency:
// Molchanov, Mallya, Tyree, Frosio, Kautz, CVPR 2019, arXiv:1906.10771, the first order on gates,
// before its square; behind BatchNormalization scale and shift give the derivative without a gate.
// weight_hessian_gradients: Wang, Zhang, Grosse, "Picking Winning Tickets Before Training by
// Preserving Gradient Flow", ICLR 2020, arXiv:2002.07376, eq. 8, before the product with weights.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "graph/graph.h"

namespace coppice {

enum class Reduction {
  mean,
  variance,
  mean_absolute,
  zero_share,
  largest,
  covariance,
  pooled,
  samples,
  patches,
  labels,
  gate_gradients,
  mean_gate_gradients,
  batch_gate_gradients,
  scale_saliency,
  weight_gradients,
  weight_hessian_gradients,
};
constexpr bool needs_gradients(Reduction reduction) {
  return reduction >= Reduction::gate_gradients;
}
constexpr bool is_of_weights(Reduction reduction) {
  return reduction >= Reduction::weight_gradients;
}
// By image, or batch, and channel of a value; the others are of constants.
constexpr bool is_of_gates(Reduction reduction) {
  return reduction == Reduction::gate_gradients || reduction == Reduction::mean_gate_gradients ||
         reduction == Reduction::batch_gate_gradients;
}

struct EvidenceRequest {
  // Its name; of scale_saliency and what is of weights that of a constant, of labels empty.
  std::string value;
  Reduction reduction = Reduction::mean;
  int64_t axis = 1;  // along which a value's channels lie, from the front
  // samples, patches: positions of each image, all where there are fewer. Which they are depends
  // on the seed, on the image's place and on how many positions there are, so two nets give
  // their samples of the same places.
  int64_t points = 0;
  uint64_t seed = 0;

  friend auto operator<=>(const EvidenceRequest&, const EvidenceRequest&) = default;
};

class Evidence;
// A way to evidence: whoever decides needn't know of data sets.
using Measure =
    std::function<Evidence(const Graph& graph, std::span<const EvidenceRequest> requests)>;

}  // namespace coppice
