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
#include "groups/cut/surgery.h"
#include "measure.h"
#include "onnx/onnx.h"
#include "support/graphs/long_nets.h"

namespace {

using namespace coppice;

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
