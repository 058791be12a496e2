// Nets of any number of nodes, for what must not grow faster than they do: benchmarks and
// growth_test.cpp.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace coppice {

class LongNet {
 public:
  Graph graph;

  LongNet() {
    x = add_value(graph, "x", DType::f32);
    graph.value(x).declared = Dims{{-1, "N"}, {3, ""}, {8, ""}, {8, ""}};
    graph.inputs = {x};
  }

  ValueId x;  // the last value

  ValueId op(const std::string& type, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const ValueId out = add_value(graph, "v" + std::to_string(graph.values.size()), DType::f32);
    add_node(graph, type, std::move(inputs), {out}, std::move(attributes));
    return out;
  }

  // Constants of `element`.
  ValueId constant(const Shape& shape, float element) {
    Tensor tensor = Tensor::zeros(DType::f32, shape);
    if (element != 0) std::ranges::fill(tensor.mutate<float>(), element);
    return add_constant(graph, "w" + std::to_string(graph.values.size()), std::move(tensor));
  }

  Graph finish() && {
    graph.outputs = {op("GlobalAveragePool", {x})};
    return std::move(graph);
  }
};

// Blocks of Conv, BatchNormalization, Relu, Conv, Add; every eighth block doubles back in a Concat.
inline Graph residual_net(int64_t nodes, int64_t width) {
  LongNet net;
  const auto weight = [&](const Shape& shape) { return net.constant(shape, 0); };
  net.x = net.op("Conv", {net.x, weight({width, 3, 1, 1})});
  for (int64_t block = 0; std::ssize(net.graph.nodes) < nodes; ++block) {
    const int64_t hidden = width / 2;
    ValueId y = net.op("Conv", {net.x, weight({hidden, width, 1, 1})});
    y = net.op("BatchNormalization",
               {y, weight({hidden}), weight({hidden}), weight({hidden}), weight({hidden})});
    y = net.op("Relu", {y});
    if (block % 8 == 7) {
      y = net.op("Concat", {y, y}, {{"axis", int64_t{1}}});
      y = net.op("Conv", {y, weight({width, 2 * hidden, 1, 1})});
      net.x = y;  // a new stage
    } else {
      y = net.op("Conv", {y, weight({width, hidden, 1, 1})});
      net.x = net.op("Add", {net.x, y});
    }
  }
  return std::move(net).finish();
}

// Blocks of BatchNormalization, Relu, Conv, Add, of which the first reads the stream. All
// normalisations share one vector of ones and one of zeros, as exporters write equal vectors.
inline Graph preactivation_net(int64_t nodes, int64_t width) {
  LongNet net;
  net.x = net.op("Conv", {net.x, net.constant({width, 3, 1, 1}, 1)});
  const ValueId ones = net.constant({width}, 1), zeros = net.constant({width}, 0);
  while (std::ssize(net.graph.nodes) < nodes) {
    ValueId y = net.op("BatchNormalization", {net.x, ones, zeros, zeros, ones});
    y = net.op("Relu", {y});
    y = net.op("Conv", {y, net.constant({width, width, 1, 1}, 0.01f)});
    net.x = net.op("Add", {net.x, y});
  }
  return std::move(net).finish();
}

}  // namespace coppice
