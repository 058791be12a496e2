// How the weights of a layer are drawn before training.
//
// Biases and normalisations are not drawn: bias 0, scale 1 (or what the Initialisation says), shift
// 0, mean 0, variance 1.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/tensor.h"
#include "graph/graph.h"

namespace coppice {

// How many weights one output element sums over, and to how many one input element goes. A kernel
// counts with all its elements (for a convolution in groups, both as Caffe and PyTorch count them).
struct Fans {
  double in = 0, out = 0;
};
// Of [O, I/G, K...] of Conv or [O, I] of Gemm: I/G * K*K, O * K*K.
Fans fans_of(const Shape& weight);

// Fills `elements`, the weights of a layer with those fans.
using Initialise = void (*)(Random& random, const Fans& fans, std::span<float> elements);

// Normal, variance 2 / fan-in. Source: He et al., "Delving Deep into Rectifiers", ICCV 2015,
// arXiv:1502.01852, Eq. 10. Differs: none known.
void he_fan_in(Random& random, const Fans& fans, std::span<float> elements);
// Normal, variance 2 / fan-out: the same paper's backward case, Eq. 14. Differs: none known.
void he_fan_out(Random& random, const Fans& fans, std::span<float> elements);
// Uniform, variance 1 / fan-in. Source: Caffe's "xavier" filler, after Glorot and Bengio,
// "Understanding the Difficulty of Training Deep Feedforward Neural Networks", AISTATS 2010.
// Differs: from the paper as Caffe does, which leaves the fan-out aside.
void caffe_xavier(Random& random, const Fans& fans, std::span<float> elements);
// Normal, variance 2 / (fan-in + fan-out). Source: Glorot and Bengio, the same paper, Eq. 12.
// Differs: drawn from a normal distribution, as by Frankle and Carbin, "The Lottery Ticket
// Hypothesis", ICLR 2019, arXiv:1803.03635 (Fig. 2), where the paper draws from a uniform one.
void glorot_normal(Random& random, const Fans& fans, std::span<float> elements);
// Normal, standard deviation 0.01.
void normal_0_01(Random& random, const Fans& fans, std::span<float> elements);
// Normal, standard deviation 0.09, drawn again beyond two deviations (which leaves a deviation of
// 0.0792). Source: the training scope of the authors' MobileNets in TF-Slim.
void truncated_normal_0_09(Random& random, const Fans& fans, std::span<float> elements);

struct Initialisation {
  Initialise conv = he_fan_out, linear = he_fan_in;
  float norm_scale = 1;  // of every BatchNormalization; its other vectors are the identity's
  friend bool operator==(const Initialisation&, const Initialisation&) = default;
};

// "he-fan-in" and the like: the names of the functions above. Throws Error::input for another.
Initialise initialise_of(const std::string& name);
std::vector<std::string> initialise_names();

// A net of the zoo carries its own in its metadata, so that it can be drawn again as it was.
void set_initialisation(Graph& graph, const Initialisation& initialisation);
// Nothing where the graph says none. Throws Error::input where it says what nobody knows.
std::optional<Initialisation> initialisation_of(const Graph& graph);

}  // namespace coppice
