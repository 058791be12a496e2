// Each anchor takes what follows it, as long as the value in between has one reader, is no output
// of the graph, and the follower is something that the anchor's primitive can apply.

#include <algorithm>

#include "graph/op.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/views/linear_layer.h"
#include "runtime/compile/layers.h"
#include "runtime/compile/onednn.h"

namespace coppice::runtime {
namespace {

using dnnl::algorithm;

// oneDNN 2.6 gives all post-ops of one algorithm the constants of one of them: a LeakyRelu before a
// Relu came out as two of the same. So a layer takes an algorithm twice only with equal constants.
bool clash(const Layer& layer, const std::vector<Eltwise>& functions) {
  for (const Eltwise& f : functions) {
    for (const PostOp& op : layer.post_ops) {
      const auto& e = op.eltwise;
      if (e && e->algorithm == f.algorithm && (e->alpha != f.alpha || e->beta != f.beta))
        return true;
    }
  }
  return false;
}

bool is_relu(const std::vector<Eltwise>& functions) {
  const Eltwise& first = functions.front();
  return functions.size() == 1 && first.algorithm == algorithm::eltwise_relu && first.alpha == 0;
}

class Fusion {
 public:
  Fusion(const Graph& graph, const Inferred& inferred)
      : graph_(graph),
        inferred_(inferred),
        readers_(consumers(graph)),
        is_output_(graph.values.size(), 0),
        taken_(graph.nodes.size(), 0),
        folds_(graph.nodes.size(), -1) {
    for (const ValueId id : graph.outputs) is_output_[id] = 1;
    for (const BatchNormPair& pair : find_foldable_batch_norms(graph)) {
      folds_[pair.producer] = pair.batch_norm;
    }
  }

  std::vector<Layer> run() {
    std::vector<Layer> layers;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!taken_[n]) layers.push_back(grow(static_cast<int32_t>(n)));
    }
    std::stable_sort(layers.begin(), layers.end(), [](const Layer& a, const Layer& b) {
      return a.nodes.back() < b.nodes.back();
    });
    return layers;
  }

 private:
  Layer grow(int32_t n) {
    const Node& node = graph_.nodes[n];
    Layer layer;
    take(layer, n);
    const Anchor anchor = anchor_of(node);
    if (anchor == Anchor::none) return layer;
    if (folds_[n] >= 0) {
      layer.batch_norm = folds_[n];
      take(layer, folds_[n]);
    }
    while (absorb_gate(layer, anchor) || absorb_next(layer, anchor)) {
    }
    return layer;
  }

  void take(Layer& layer, int32_t n) {
    layer.nodes.push_back(n);
    layer.output = graph_.nodes[n].outputs[0];
    taken_[n] = 1;
  }

  bool absorb_next(Layer& layer, Anchor anchor) {
    const ValueId value = layer.output;
    if (value == kNoValue || is_output_[value] || readers_[value].size() != 1) return false;
    const int32_t next = readers_[value][0];
    const Node& node = graph_.nodes[next];
    if (taken_[next]) return false;
    const auto functions = eltwise_of(graph_, node);
    if (anchor == Anchor::normalisation) {
      // oneDNN's normalisation can be followed by Relu and nothing else.
      if (!functions || !is_relu(*functions) || !layer.post_ops.empty()) return false;
    }
    if (functions && node.inputs[0] == value) {
      if (clash(layer, *functions)) return false;
      for (const Eltwise& function : *functions) layer.post_ops.push_back({function, kNoValue});
      take(layer, next);
      return true;
    }
    const bool adds = is_sum(node) && anchor_of(node) == Anchor::elementwise;
    if (anchor != Anchor::affine || !adds) return false;
    const ValueId operand = node.inputs[0] == value ? node.inputs[1] : node.inputs[0];
    if (!can_add(layer, node, operand)) return false;
    layer.post_ops.push_back({std::nullopt, operand});
    take(layer, next);
    return true;
  }

  // x * sigmoid(x) and x * hard_sigmoid(x) read x twice: absorbed as one function.
  bool absorb_gate(Layer& layer, Anchor anchor) {
    const ValueId x = layer.output;
    if (anchor == Anchor::normalisation || x == kNoValue || is_output_[x]) return false;
    const std::vector<int32_t>& readers = readers_[x];
    if (readers.size() != 2 || readers[0] == readers[1]) return false;
    const Node &gate = graph_.nodes[readers[0]], &product = graph_.nodes[readers[1]];
    if (reads_as(product, 0) != Reads::factor || product.inputs.size() != 2) return false;
    const ValueId y = gate.outputs[0];
    if (y == kNoValue || is_output_[y] || readers_[y].size() != 1) return false;
    if (std::count(product.inputs.begin(), product.inputs.end(), y) != 1) return false;
    const auto function = gate_function(gate);
    if (!function || clash(layer, {*function})) return false;
    layer.post_ops.push_back({function, kNoValue});
    take(layer, readers[0]);
    take(layer, readers[1]);
    return true;
  }

  std::optional<Eltwise> gate_function(const Node& gate) const {
    const auto functions = eltwise_of(graph_, gate);
    if (!functions) return std::nullopt;
    const Eltwise& first = functions->front();
    if (first.algorithm == algorithm::eltwise_logistic) {
      return Eltwise{algorithm::eltwise_swish, 1, 0};
    }
    const bool sixths = first.algorithm == algorithm::eltwise_linear && functions->size() == 2 &&
                        first.alpha == 1.0f / 6 && first.beta == 0.5f;
    if (!sixths) return std::nullopt;
    return Eltwise{algorithm::eltwise_hardswish, onednn::kHardSwishAlpha, onednn::kHardSwishBeta};
  }

  // An operand of the output's own shape, or a constant with one number a channel.
  bool can_add(const Layer& layer, const Node& add, ValueId operand) const {
    if (!inferred_.has(operand) || !inferred_.has(add.outputs[0])) return false;
    const Shape &out = inferred_.shape(add.outputs[0]), &from = inferred_.shape(layer.output);
    if (out != from || operand == layer.output) return false;
    const Shape& other = inferred_.shape(operand);
    if (other == out) return true;
    if (!graph_.value(operand).constant) return false;
    const auto linear = linear_layer_of(graph_.nodes[layer.nodes[0]]);
    const auto channel = static_cast<size_t>(from_the_front(linear->results, std::ssize(out)));
    const size_t shift = out.size() - other.size();
    return channel >= shift && other[channel - shift] == out[channel] &&
           element_count(other) == out[channel];
  }

  const Graph& graph_;
  const Inferred& inferred_;
  std::vector<std::vector<int32_t>> readers_;
  std::vector<char> is_output_, taken_;
  std::vector<int32_t> folds_;  // the BatchNormalization that folds into a node
};

}  // namespace

std::vector<Layer> fuse_layers(const Graph& graph, const Inferred& inferred) {
  return Fusion(graph, inferred).run();
}

std::vector<Layer> separate(const Graph& graph, const Layer& layer) {
  std::vector<Layer> layers;
  for (const int32_t n : layer.nodes) layers.push_back({{n}, -1, {}, graph.nodes[n].outputs[0]});
  return layers;
}

std::string kind_of(const Graph& graph, const Layer& layer) {
  std::string kind;
  for (const int32_t n : layer.nodes) {
    if (!kind.empty()) kind += '+';
    kind += graph.nodes[n].op_type;
  }
  return kind;
}

}  // namespace coppice::runtime
