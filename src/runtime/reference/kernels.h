// The plain-loop kernels, one file each, that define what every operator computes. They are never
// made fast: fast code is tested against them. Sums run in double, in one fixed order.
//
// A kernel takes a node and its inputs (null: left out) and gives its outputs. Shapes were checked
// by inference; a kernel itself refuses, by name, what it doesn't implement.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "graph/graph.h"
#include "graph/op.h"
#include "graph/ops/ops.h"

namespace coppice::reference {

using Inputs = std::span<const Tensor* const>;
using Kernel = std::vector<Tensor> (*)(const Graph&, const Node&, Inputs);

std::vector<Tensor> conv(const Graph&, const Node&, Inputs);
std::vector<Tensor> conv_integer(const Graph&, const Node&, Inputs);
std::vector<Tensor> qlinear_conv(const Graph&, const Node&, Inputs);
std::vector<Tensor> matmul_integer(const Graph&, const Node&, Inputs);
std::vector<Tensor> qlinear_matmul(const Graph&, const Node&, Inputs);
std::vector<Tensor> dynamic_quantize(const Graph&, const Node&, Inputs);
std::vector<Tensor> gemm(const Graph&, const Node&, Inputs);
std::vector<Tensor> batch_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> dropout(const Graph&, const Node&, Inputs);
std::vector<Tensor> max_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> average_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> global_max_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> global_average_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> max_unpool(const Graph&, const Node&, Inputs);
std::vector<Tensor> lp_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> global_lp_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> roi_align(const Graph&, const Node&, Inputs);
std::vector<Tensor> grid_sample(const Graph&, const Node&, Inputs);
std::vector<Tensor> tensor_scatter(const Graph&, const Node&, Inputs);
std::vector<Tensor> softmax(const Graph&, const Node&, Inputs);
std::vector<Tensor> log_softmax(const Graph&, const Node&, Inputs);
std::vector<Tensor> conv_transpose(const Graph&, const Node&, Inputs);
std::vector<Tensor> resize(const Graph&, const Node&, Inputs);
std::vector<Tensor> layer_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> rms_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> instance_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> group_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> lrn(const Graph&, const Node&, Inputs);
std::vector<Tensor> lp_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> mean_variance_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> arg_max(const Graph&, const Node&, Inputs);
std::vector<Tensor> rotary(const Graph&, const Node&, Inputs);
std::vector<Tensor> fused_conv(const Graph&, const Node&, Inputs);
std::vector<Tensor> skip_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> skip_simplified_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> embedding_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> group_query_attention(const Graph&, const Node&, Inputs);
// What is added to scores [N, heads, queries, keys]: what `own` says of an image, query and key,
// and the bias, which is repeated where it has fewer axes or sizes of 1. Where `own` is -inf nobody
// looks, and a bias needn't say anything of the last such keys.
Tensor mask_of_scores(const Shape& shape, const Tensor* bias,
                      const std::function<float(int64_t n, int64_t query, int64_t key)>& own);
std::vector<Tensor> multi_head_attention(const Graph&, const Node&, Inputs);
std::vector<Tensor> attention_of_runtime(const Graph&, const Node&, Inputs);
std::vector<Tensor> attention(const Graph&, const Node&, Inputs);
std::vector<Tensor> arg_min(const Graph&, const Node&, Inputs);
std::vector<Tensor> top_k(const Graph&, const Node&, Inputs);
std::vector<Tensor> cum_sum(const Graph&, const Node&, Inputs);
std::vector<Tensor> cum_prod(const Graph&, const Node&, Inputs);
std::vector<Tensor> lstm(const Graph&, const Node&, Inputs);
std::vector<Tensor> gru(const Graph&, const Node&, Inputs);
std::vector<Tensor> rnn(const Graph&, const Node&, Inputs);

// The elements of an input. Throws Error::input, naming the node, unless it is float32.
std::span<const float> floats(const Graph& graph, const Node& node, Inputs inputs, size_t input);
inline const Tensor* pick(Inputs inputs, size_t input) {
  return input < inputs.size() ? inputs[input] : nullptr;
}

// The sums of a convolution of the node's window, plane by plane, in double: `begin_with` is given
// the output's shape, then `put` each plane (of image n and filter o: n * filters + o), by several
// threads.
struct Convolved {
  std::span<const float> x;
  const Shape& x_shape;
  std::span<const float> weight;
  const Shape& weight_shape;
  std::span<const float> bias;
};
void convolve(const Graph& graph, const Node& node, const Convolved& of,
              const std::function<void(const Shape&)>& begin_with,
              const std::function<void(int64_t, std::span<const double>)>& put);

// Images of one to three spatial axes as [N, C, D, H, W]; missing axes are 1.
using Spatial = std::array<int64_t, 3>;
struct Sliding {
  Spatial in, out, kernel, strides, dilations, begin, end;
};
// Throws Error::input for more than three spatial axes.
Sliding sliding_of(const Graph& graph, const Node& node, const Shape& input, const Shape& kernel,
                   bool ceil);
inline int64_t count(const Spatial& sizes) { return sizes[0] * sizes[1] * sizes[2]; }
// `shape` with its spatial axes replaced.
Shape with_spatial(Shape shape, const Spatial& sizes);

}  // namespace coppice::reference
