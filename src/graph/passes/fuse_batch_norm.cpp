#include "graph/passes/fuse_batch_norm.h"

#include <cmath>

#include "core/error.h"
#include "graph/passes/driver.h"
#include "graph/value_names.h"
#include "graph/views/batch_norm.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

bool constant_f32(const Graph& graph, const Node& node, size_t input) {
  if (input >= node.inputs.size() || node.inputs[input] == kNoValue) return false;
  const auto& constant = graph.value(node.inputs[input]).constant;
  return constant && constant->dtype() == DType::f32;
}

bool has(const Node& node, size_t input) {
  return input < node.inputs.size() && node.inputs[input] != kNoValue;
}

// A layer whose weight has one axis of all outputs, which are axis 1 of what it gives.
std::optional<LinearLayer> scalable_layer(const Node& producer) {
  const auto layer = linear_layer_of(producer);
  const bool one_axis = layer && layer->kind != LinearLayer::Kind::transposed_convolution;
  return one_axis && layer->bias >= 0 ? layer : std::nullopt;
}

// The axis of the weight that is the output channel.
int64_t filter_axis(const Node& producer) { return linear_layer_of(producer)->outputs; }

// A bias that is one number per output channel, or one for all.
bool simple_bias(const Graph& graph, const Node& producer) {
  if (!has(producer, 2)) return true;
  if (!constant_f32(graph, producer, 2)) return false;
  const Tensor& bias = *graph.value(producer.inputs[2]).constant;
  const Tensor& weight = *graph.value(producer.inputs[1]).constant;
  if (bias.size() == 1) return true;
  return bias.shape().back() == bias.size() && bias.size() == weight.shape()[filter_axis(producer)];
}

bool foldable(const Graph& graph, const Node& producer, const Node& batch_norm) {
  if (!scalable_layer(producer)) return false;
  if (!constant_f32(graph, producer, 1) || !simple_bias(graph, producer)) return false;
  for (size_t o = 1; o < batch_norm.outputs.size(); ++o) {
    if (batch_norm.outputs[o] != kNoValue) return false;
  }
  const auto view = batch_norm_of(graph, batch_norm);
  const Tensor& weight = *graph.value(producer.inputs[1]).constant;
  return view && weight.rank() >= 2 && weight.shape()[filter_axis(producer)] == view->channels;
}

double bias_at(const Graph& graph, const Node& producer, int64_t channel) {
  if (!has(producer, 2)) return 0;
  const Tensor& bias = *graph.value(producer.inputs[2]).constant;
  return linear_layer_of(producer)->bias_scale * bias.as<float>()[bias.size() == 1 ? 0 : channel];
}

// Gives nodes other constants.
class Replacer {
 public:
  explicit Replacer(Graph& graph) : graph_(graph), names_(graph) {
    for (const auto& readers : consumers(graph)) reads_.push_back(std::ssize(readers));
  }

  // In place where nobody else reads the constant, else as a new one. Returns which one the node
  // reads now.
  ValueId replace(ValueId old, Tensor tensor, const std::string& stem) {
    if (old != kNoValue && reads_[old] == 1) {
      graph_.value(old).constant = std::move(tensor);
      return old;
    }
    if (old != kNoValue) --reads_[old];
    return add_constant(graph_, names_.unused(stem), std::move(tensor));
  }

 private:
  Graph& graph_;
  ValueNames names_;
  std::vector<int64_t> reads_;  // by value of the graph as it was given: how many are left
};

}  // namespace

std::vector<BatchNormPair> find_foldable_batch_norms(const Graph& graph) {
  const std::vector<int32_t> producer = producers(graph);
  const auto readers = consumers(graph);
  std::vector<char> is_output(graph.values.size(), 0);
  for (const ValueId id : graph.outputs) is_output[id] = 1;
  std::vector<BatchNormPair> pairs;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    if (!is_batch_norm(node) || !has(node, 0)) continue;
    const ValueId data = node.inputs[0];
    if (producer[data] < 0 || readers[data].size() != 1 || is_output[data]) continue;
    if (foldable(graph, graph.nodes[producer[data]], node)) {
      pairs.push_back({producer[data], static_cast<int32_t>(n)});
    }
  }
  return pairs;
}

AffineWeights fold_batch_norm(const Graph& graph, const Node& producer, const Node& batch_norm) {
  const auto view = batch_norm_of(graph, batch_norm);
  COPPICE_CHECK(view.has_value(), "a pair that find_foldable_batch_norms didn't give");
  const auto elements = [&](ValueId id) { return graph.value(id).constant->as<float>(); };
  const auto scale = elements(view->scale), shift = elements(view->shift),
             mean = elements(view->mean), variance = elements(view->variance);
  const int64_t channels = view->channels;

  std::vector<double> factor(channels);
  std::vector<float> bias(channels);
  for (int64_t o = 0; o < channels; ++o) {
    factor[o] = scale[o] / std::sqrt(variance[o] + view->epsilon);
    const double y = bias_at(graph, producer, o);
    bias[o] = static_cast<float>(factor[o] * (y - mean[o]) + shift[o]);
  }
  Tensor weight = *graph.value(producer.inputs[1]).constant;
  const int64_t axis = filter_axis(producer);
  const int64_t inner = element_count({weight.shape().begin() + axis + 1, weight.shape().end()});
  float* element = weight.mutate<float>().data();
  // The channel axis is the first or the last one, so these loops see every row once.
  for (int64_t row = 0; row < weight.size() / inner; ++row) {
    const double scaling = factor[row % channels];
    for (int64_t i = 0; i < inner; ++i, ++element) {
      *element = static_cast<float>(scaling * *element);
    }
  }
  return {std::move(weight), Tensor::of<float>({channels}, bias)};
}

extern const Pass kFuseBatchNorms{"fold-batch-norms",
                                  "BatchNormalization into the layer before it"};

void fuse_batch_norms(Graph& graph) {
  run_pass(kFuseBatchNorms, graph, [&] {
    Replacer replacer(graph);
    for (const BatchNormPair& pair : find_foldable_batch_norms(graph)) {
      Node& producer = graph.nodes[pair.producer];
      Node& batch_norm = graph.nodes[pair.batch_norm];
      AffineWeights folded = fold_batch_norm(graph, producer, batch_norm);
      const ValueId old_weight = producer.inputs[1];
      const ValueId old_bias = has(producer, 2) ? producer.inputs[2] : kNoValue;
      const std::string stem = graph.value(old_weight).name;
      producer.inputs.resize(3, kNoValue);
      producer.inputs[1] = replacer.replace(old_weight, std::move(folded.weight), stem + "_folded");
      producer.inputs[2] = replacer.replace(old_bias, std::move(folded.bias), stem + "_bias");
      if (!linear_layer_of(producer)->convolves()) producer.attributes.set("beta", 1.0f);
      // The producer now computes what the normalisation did, under its name.
      producer.outputs[0] = batch_norm.outputs[0];
      batch_norm.outputs.assign(1, kNoValue);
    }
    remove_dead(graph);
  });
}

}  // namespace coppice
