// Normalisation by a batch's own statistics with what follows it, as one function with a gradient
// of its own: on the CPU these are passes over memory, and each that is saved counts (a third of a
// ResNet-20 step is neither convolution nor product; apart, they take 86 ms of 400).
//
//   y = scale (x - mean) / sqrt(variance + epsilon) + shift        by channel, over the batch
//   y = max(y + other, 0)                                          where asked for
#pragma once

#include <ATen/ATen.h>

namespace coppice::train {

struct NormSettings {
  at::Tensor scale, shift;                // [channels]
  at::Tensor mean, variance;              // running ones, moved in place
  double momentum = 0.1, epsilon = 1e-5;  // the batch's share of what is running
};
enum class Rectify { no, yes };

// Whether normalise_batch can: float32 on the CPU, channels side by side in memory.
bool fits_normalise_batch(const at::Tensor& x, const NormSettings& settings,
                          const at::Tensor& other);
// `other`: of the shape of x, or undefined. Its gradient can be differentiated again. The same bits
// on any number of threads. Requires: fits_normalise_batch.
at::Tensor normalise_batch(const at::Tensor& x, const NormSettings& settings,
                           const at::Tensor& other, Rectify rectify);

}  // namespace coppice::train
