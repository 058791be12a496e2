// See layer.h.
#include "runtime/sparse/layer.h"

#include "graph/ops/ops.h"
#include "runtime/kernels/steps.h"

namespace coppice::runtime {
namespace {

using dnnl::algorithm;

std::optional<Finish> finish_of(const Eltwise& f) {
  using Kind = Finish::Kind;
  switch (f.algorithm) {
    case algorithm::eltwise_relu: return Finish{Kind::relu, f.alpha, 0};
    case algorithm::eltwise_linear: return Finish{Kind::linear, f.alpha, f.beta};
    case algorithm::eltwise_clip: return Finish{Kind::clip, f.alpha, f.beta};
    case algorithm::eltwise_abs: return Finish{Kind::magnitude};
    case algorithm::eltwise_hardswish:
      // oneDNN 3 is told the constants, 2 has them.
      if ((f.alpha == 0 && f.beta == 0) || (f.alpha == 1.0f / 6 && f.beta == 0.5f)) {
        return Finish{Kind::hard_swish};
      }
      return std::nullopt;
    default: return std::nullopt;
  }
}

bool float_image(const Inferred& inferred, ValueId id) {
  return inferred.has(id) && inferred.types[id]->dtype == DType::f32 &&
         inferred.shape(id).size() == 4 && element_count(inferred.shape(id)) > 0;
}

bool constant_floats(const Graph& graph, ValueId id) {
  const auto& constant = graph.value(id).constant;
  return constant && constant->dtype() == DType::f32;
}

}  // namespace

std::optional<Followers> followers_of(const Graph& graph, const Inferred& inferred,
                                      const Layer& layer) {
  Followers followers;
  for (const PostOp& op : layer.post_ops) {
    if (op.eltwise) {
      const auto finish = finish_of(*op.eltwise);
      if (!finish) return std::nullopt;
      followers.finish.push_back(*finish);
    } else if (inferred.shape(op.operand) != inferred.shape(layer.output)) {
      if (!followers.finish.empty() || !constant_floats(graph, op.operand)) return std::nullopt;
      followers.biases.push_back(op.operand);
    } else if (graph.value(op.operand).constant) {
      return std::nullopt;
    } else if (followers.finish.empty() && followers.start == kNoValue) {
      followers.start = op.operand;
    } else {
      followers.finish.push_back({.kind = Finish::Kind::add});
      followers.operands.push_back(op.operand);
    }
  }
  return followers;
}

std::optional<SparseLayer> sparse_layer_of(const Graph& graph, const Inferred& inferred,
                                           const Layer& layer) {
  const Node& node = graph.nodes[layer.nodes[0]];
  if (find_lowering(node) != lower_conv) return std::nullopt;
  if (!float_image(inferred, node.inputs[0]) || !float_image(inferred, layer.output) ||
      !float_image(inferred, node.inputs[1]) || !constant_floats(graph, node.inputs[1])) {
    return std::nullopt;
  }
  const bool bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  if (bias && !constant_floats(graph, node.inputs[2])) return std::nullopt;
  const Shape &x = inferred.shape(node.inputs[0]), &weight = inferred.shape(node.inputs[1]);
  const Window window = window_of(graph, node, {x[2], x[3]}, {weight[2], weight[3]});
  if (window.begin[0] < 0 || window.begin[1] < 0 || window.end[0] < 0 || window.end[1] < 0) {
    return std::nullopt;
  }
  const auto followers = followers_of(graph, inferred, layer);
  if (!followers) return std::nullopt;
  return SparseLayer{{{window.kernel[0], window.kernel[1]},
                      {window.strides[0], window.strides[1]},
                      {window.dilations[0], window.dilations[1]},
                      {window.begin[0], window.begin[1]},
                      node.attributes.integer("group", 1)},
                     node.inputs[0],
                     layer.output,
                     *followers};
}

const Tensor& weight_of(const Graph& graph, const Layer& layer) {
  return *graph.value(graph.nodes[layer.nodes[0]].inputs[1]).constant;
}

AffineWeights folded_weights(const Graph& graph, const Layer& layer,
                             const std::vector<ValueId>& biases) {
  const Node& node = graph.nodes[layer.nodes[0]];
  AffineWeights folded;
  if (layer.batch_norm >= 0) {
    folded = fold_batch_norm(graph, node, graph.nodes[layer.batch_norm]);
  } else {
    folded.weight = weight_of(graph, layer);
    const bool bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    folded.bias = bias ? *graph.value(node.inputs[2]).constant
                       : Tensor::zeros(DType::f32, {folded.weight.shape()[0]});
  }
  for (const ValueId id : biases) {
    const auto added = graph.value(id).constant->as<float>();
    const auto bias = folded.bias.mutate<float>();
    for (size_t i = 0; i < bias.size(); ++i) bias[i] += added[i];
  }
  return folded;
}

}  // namespace coppice::runtime
