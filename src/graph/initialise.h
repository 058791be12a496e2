// How the weights of a layer are drawn before training.
//
// weight: [O, I/G, K...] of Conv or [O, I] of Gemm; fan-in = I/G * K*K, fan-out = O * K*K.
// Biases and BatchNormalization are not drawn: bias 0, scale 1 (or what the Builder is told), shift
// 0, mean 0, variance 1.
#pragma once

#include <span>

#include "core/random.h"
#include "core/tensor.h"

namespace coppice {

// Fills `elements`, the weights of shape `weight`.
using Initialise = void (*)(Random& random, const Shape& weight, std::span<float> elements);

// Normal, variance 2 / fan-in. Source: He et al., "Delving Deep into Rectifiers", ICCV 2015,
// arXiv:1502.01852, Eq. 10. Differs: none known.
void he_fan_in(Random& random, const Shape& weight, std::span<float> elements);
// Normal, variance 2 / fan-out: the same paper's backward case, Eq. 14. Differs: none known.
void he_fan_out(Random& random, const Shape& weight, std::span<float> elements);
// Uniform, variance 1 / fan-in. Source: Caffe's "xavier" filler, after Glorot and Bengio,
// "Understanding the Difficulty of Training Deep Feedforward Neural Networks", AISTATS 2010.
// Differs: from the paper as Caffe does, which leaves the fan-out aside.
void caffe_xavier(Random& random, const Shape& weight, std::span<float> elements);
// Normal, standard deviation 0.01.
void normal_0_01(Random& random, const Shape& weight, std::span<float> elements);
// Normal, standard deviation 0.09, drawn again beyond two deviations (which leaves a deviation of
// 0.0792). Source: the training scope of the authors' MobileNets in TF-Slim.
void truncated_normal_0_09(Random& random, const Shape& weight, std::span<float> elements);

}  // namespace coppice
