// ONNX activations as oneDNN's elementwise functions, named in kernels/table.cpp. Functions whose
// values at the edges differ (Sqrt and Log of what isn't positive) or that oneDNN lacks are left to
// OpDef::evaluate.
#pragma once

#include "runtime/compile/layers.h"

namespace coppice::runtime {

using Eltwises = std::optional<std::vector<Eltwise>>;

Eltwises absolute(const Graph& graph, const Node& node);
Eltwises clip(const Graph& graph, const Node& node);  // nothing where a bound is computed
Eltwises elu(const Graph& graph, const Node& node);
Eltwises hard_sigmoid(const Graph& graph, const Node& node);
Eltwises hard_swish(const Graph& graph, const Node& node);
Eltwises hyperbolic_tangent(const Graph& graph, const Node& node);
Eltwises leaky_relu(const Graph& graph, const Node& node);
Eltwises relu(const Graph& graph, const Node& node);
Eltwises sigmoid(const Graph& graph, const Node& node);

}  // namespace coppice::runtime
