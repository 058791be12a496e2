// See eltwise.h.
#include "runtime/compile/eltwise.h"

#include <cmath>

#include "runtime/compile/onednn.h"

namespace coppice::runtime {
namespace {

using dnnl::algorithm;

Eltwises one(algorithm function, float alpha = 0, float beta = 0) {
  return {{Eltwise{function, alpha, beta}}};
}

}  // namespace

Eltwises relu(const Graph&, const Node&) { return one(algorithm::eltwise_relu); }
Eltwises leaky_relu(const Graph&, const Node& node) {
  return one(algorithm::eltwise_relu, node.attributes.real("alpha", 0.01f));
}
Eltwises elu(const Graph&, const Node& node) {
  return one(algorithm::eltwise_elu, node.attributes.real("alpha", 1));
}
Eltwises sigmoid(const Graph&, const Node&) { return one(algorithm::eltwise_logistic); }
Eltwises hyperbolic_tangent(const Graph&, const Node&) { return one(algorithm::eltwise_tanh); }
Eltwises hard_swish(const Graph&, const Node&) {
  return one(algorithm::eltwise_hardswish, onednn::kHardSwishAlpha, onednn::kHardSwishBeta);
}
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

}  // namespace coppice::runtime
