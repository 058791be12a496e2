// ONNX activations as oneDNN's elementwise functions. Functions whose values at the edges differ
// (Sqrt and Log of what isn't positive) or that oneDNN lacks are left to OpDef::evaluate.

#include <cmath>
#include <string_view>

#include "core/error.h"
#include "runtime/compile/layers.h"

namespace coppice::runtime {
namespace {

using dnnl::algorithm;
using Eltwises = std::optional<std::vector<Eltwise>>;

Eltwises one(algorithm function, float alpha = 0, float beta = 0) {
  return {{Eltwise{function, alpha, beta}}};
}

Eltwises relu(const Graph&, const Node&) { return one(algorithm::eltwise_relu); }
Eltwises leaky_relu(const Graph&, const Node& node) {
  return one(algorithm::eltwise_relu, node.attributes.real("alpha", 0.01f));
}
Eltwises elu(const Graph&, const Node& node) {
  return one(algorithm::eltwise_elu, node.attributes.real("alpha", 1));
}
Eltwises sigmoid(const Graph&, const Node&) { return one(algorithm::eltwise_logistic); }
Eltwises hyperbolic_tangent(const Graph&, const Node&) { return one(algorithm::eltwise_tanh); }
Eltwises hard_swish(const Graph&, const Node&) { return one(algorithm::eltwise_hardswish); }
Eltwises absolute(const Graph&, const Node&) { return one(algorithm::eltwise_abs); }
Eltwises hard_sigmoid(const Graph&, const Node& node) {
  const float alpha = node.attributes.real("alpha", 0.2f),
              beta = node.attributes.real("beta", 0.5f);
  return {
      {Eltwise{algorithm::eltwise_linear, alpha, beta}, Eltwise{algorithm::eltwise_clip, 0, 1}}};
}

// Bounds are attributes before opset 11 and inputs after it; unknown ones can't be built in.
Eltwises clip(const Graph& graph, const Node& node) {
  float bounds[] = {node.attributes.real("min", -INFINITY), node.attributes.real("max", INFINITY)};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    const auto& constant = graph.value(node.inputs[i]).constant;
    if (!constant || constant->dtype() != DType::f32 || constant->size() != 1) return std::nullopt;
    bounds[i - 1] = constant->as<float>()[0];
  }
  return one(algorithm::eltwise_clip, bounds[0], bounds[1]);
}

struct Entry {
  std::string_view type;
  Eltwises (*make)(const Graph&, const Node&);
};
constexpr Entry kEntries[] = {
    {"Abs", absolute},
    {"Clip", clip},
    {"Elu", elu},
    {"Relu", relu},
    {"Sigmoid", sigmoid},
    {"HardSigmoid", hard_sigmoid},
    {"Tanh", hyperbolic_tangent},
    {"HardSwish", hard_swish},
    {"LeakyRelu", leaky_relu},
};

}  // namespace

std::optional<std::vector<Eltwise>> eltwise_of(const Graph& graph, const Node& node) {
  if (!node.op || node.inputs.empty()) return std::nullopt;
  for (const Entry& entry : kEntries) {
    if (entry.type == node.op_type) return entry.make(graph, node);
  }
  return std::nullopt;
}

}  // namespace coppice::runtime
