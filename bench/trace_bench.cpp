// How tracing and surgery grow with the graph: residual nets of 1,000 to 100,000 nodes.
//
//   trace_bench [MODEL.onnx ...]
//
// prints the median of five runs of: loosening, inference, groups, a cut of half of all units. With
// models it prints the same for them.

#include <cstdio>
#include <string>
#include <vector>

#include "graph/passes/loosen.h"
#include "groups/surgery.h"
#include "measure.h"
#include "onnx/onnx.h"

namespace {

using namespace coppice;

ValueId op(Graph& graph, const std::string& type, std::vector<ValueId> inputs,
           Attributes attributes = {}) {
  const ValueId out = add_value(graph, "v" + std::to_string(graph.values.size()), DType::f32);
  add_node(graph, type, std::move(inputs), {out}, std::move(attributes));
  return out;
}

ValueId weight(Graph& graph, const Shape& shape) {
  return add_constant(graph, "w" + std::to_string(graph.values.size()),
                      Tensor::zeros(DType::f32, shape));
}

// Blocks of Conv, BatchNormalization, Relu, Conv, Add; every eighth block doubles back in a Concat.
Graph residual_net(int64_t nodes, int64_t width) {
  Graph graph;
  ValueId x = add_value(graph, "x", DType::f32);
  graph.value(x).declared = Dims{{-1, "N"}, {3, ""}, {8, ""}, {8, ""}};
  graph.inputs = {x};
  x = op(graph, "Conv", {x, weight(graph, {width, 3, 1, 1})});
  for (int64_t block = 0; std::ssize(graph.nodes) < nodes; ++block) {
    const int64_t hidden = width / 2;
    ValueId y = op(graph, "Conv", {x, weight(graph, {hidden, width, 1, 1})});
    y = op(graph, "BatchNormalization",
           {y, weight(graph, {hidden}), weight(graph, {hidden}), weight(graph, {hidden}),
            weight(graph, {hidden})});
    y = op(graph, "Relu", {y});
    if (block % 8 == 7) {
      y = op(graph, "Concat", {y, y}, {{"axis", int64_t{1}}});
      y = op(graph, "Conv", {y, weight(graph, {width, 2 * hidden, 1, 1})});
      x = y;  // a new stage
    } else {
      y = op(graph, "Conv", {y, weight(graph, {width, hidden, 1, 1})});
      x = op(graph, "Add", {x, y});
    }
  }
  graph.outputs = {op(graph, "GlobalAveragePool", {x})};
  return graph;
}

void measure(const std::string& name, const Graph& graph) {
  std::vector<double> loose, infers, groups_ms, cuts;
  Groups groups;
  for (int run = 0; run < 5; ++run) {
    Stopwatch watch;
    Graph copy = graph;
    loosen(copy);
    loose.push_back(watch.lap_ms());
    infer(copy, {.inputs = {}, .batch = 2});
    infers.push_back(watch.lap_ms());
    groups = find_groups(copy);
    groups_ms.push_back(watch.lap_ms());
    Removal removal(groups.unit_count, 0);
    for (const Group& group : groups.free) {
      for (int64_t u = 0; u + 1 < group.units(); u += 2) removal[group.first_unit + u] = 1;
    }
    watch.lap_ms();
    remove_units(copy, groups, removal);
    cuts.push_back(watch.lap_ms());
  }
  std::printf("%-24s %7zu nodes %7d units  loosen %8.1f  infer %8.1f  groups %8.1f  cut %8.1f ms\n",
              name.c_str(), graph.nodes.size(), groups.unit_count, median(loose), median(infers),
              median(groups_ms), median(cuts));
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    measure(path.substr(path.find_last_of('/') + 1), read_onnx(path));
  }
  if (argc > 1) return 0;
  for (const int64_t nodes : {1000, 3000, 10000, 30000, 100000}) {
    measure("residual net", residual_net(nodes, 16));
  }
  return 0;
}
