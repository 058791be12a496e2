// The plain-loop kernels, one file each, that define what every operator computes. They are never
// made fast: fast code is tested against them. Sums run in double, in one fixed order.
//
// A kernel takes a node and its inputs (null: left out) and gives its outputs. Shapes were checked
// by inference; a kernel itself refuses, by name, what it doesn't implement.
#pragma once

#include <algorithm>
#include <array>
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
std::vector<Tensor> gemm(const Graph&, const Node&, Inputs);
std::vector<Tensor> matmul(const Graph&, const Node&, Inputs);
std::vector<Tensor> batch_norm(const Graph&, const Node&, Inputs);
std::vector<Tensor> dropout(const Graph&, const Node&, Inputs);
std::vector<Tensor> max_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> average_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> global_max_pool(const Graph&, const Node&, Inputs);
std::vector<Tensor> global_average_pool(const Graph&, const Node&, Inputs);
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
std::vector<Tensor> attention(const Graph&, const Node&, Inputs);
std::vector<Tensor> arg_min(const Graph&, const Node&, Inputs);
std::vector<Tensor> top_k(const Graph&, const Node&, Inputs);
std::vector<Tensor> cum_sum(const Graph&, const Node&, Inputs);
std::vector<Tensor> lstm(const Graph&, const Node&, Inputs);
std::vector<Tensor> gru(const Graph&, const Node&, Inputs);
std::vector<Tensor> rnn(const Graph&, const Node&, Inputs);

// The elements of an input. Throws Error::input, naming the node, unless it is float32.
std::span<const float> floats(const Graph& graph, const Node& node, Inputs inputs, size_t input);
inline const Tensor* pick(Inputs inputs, size_t input) {
  return input < inputs.size() ? inputs[input] : nullptr;
}

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
