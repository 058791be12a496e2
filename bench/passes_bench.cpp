// How the passes grow with the graph, and what else walks it: nets of 25,000 to 100,000 nodes.
//
//   passes_bench
//
// prints the median of three runs, in ms of processor time and in us a node. `names` makes as many
// new names of one stem as there are nodes; `cut` is the surgery of a removal that differs from
// layer to layer, `plan` writes it down, `merge` merges the copies that are still equal, `settle`
// settles the selections; `compile` makes the original ready to be run.

#include <cstdio>
#include <string>
#include <vector>

#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/loosen.h"
#include "graph/passes/select_channels.h"
#include "graph/passes/separate_vectors.h"
#include "graph/value_names.h"
#include "groups/cut/surgery.h"
#include "measure.h"
#include "prune/compensate/compensation.h"
#include "prune/plan/plan.h"
#include "runtime/executable.h"
#include "support/graphs/long_nets.h"

namespace {

using namespace coppice;

using Times = std::vector<std::pair<std::string, double>>;

Removal one_of_each(const Groups& groups) {
  Removal removal(groups.unit_count, 0);
  int64_t number = 0;
  for (const Group& group : groups.free) {
    if (group.units() > 1) removal[group.first_unit + number++ % group.units()] = 1;
  }
  return removal;
}

// The normalisations read a stream, and share their vectors.
Times cut_a_stream(const Graph& original) {
  Times times;
  Graph graph = original;
  CpuStopwatch watch;
  const auto lap = [&](const char* name) { times.emplace_back(name, watch.lap_ms()); };
  ValueNames names(graph);
  for (size_t n = 0; n < graph.nodes.size(); ++n) names.unused("x");
  lap("names");
  loosen(graph);
  lap("loosen");
  add_selections(graph);
  lap("selections");
  Groups groups = find_groups(graph);
  lap("groups");
  const Removal removal = one_of_each(groups);
  watch.lap_ms();
  plan_of(graph, groups, removal);
  lap("plan");
  remove_units(graph, groups, removal);
  lap("cut");
  merge_copies(graph);
  lap("merge");
  settle_selections(graph);
  lap("settle");
  return times;
}

// Every normalisation stands behind a layer.
Times fold_layers(const Graph& original) {
  Times times;
  Graph graph = original;
  CpuStopwatch watch;
  const auto lap = [&](const char* name) { times.emplace_back(name, watch.lap_ms()); };
  fuse_batch_norms(graph);
  lap("fold BN");
  Graph recovered = original;
  Groups groups = find_groups(recovered);
  const Removal removal = one_of_each(groups);
  watch.lap_ms();
  compensate(recovered, groups, removal, {.bias = true});
  lap("recover");
  compile(original, {});
  lap("compile");
  return times;
}

void measure(const char* name, const Graph& graph, Times (*run)(const Graph&)) {
  std::vector<Times> runs;
  for (int i = 0; i < 3; ++i) runs.push_back(run(graph));
  std::printf("%s, %zu nodes\n", name, graph.nodes.size());
  for (size_t stage = 0; stage < runs[0].size(); ++stage) {
    std::vector<double> ms;
    for (const Times& times : runs) ms.push_back(times[stage].second);
    std::printf("  %-10s %9.1f ms %8.2f us a node\n", runs[0][stage].first.c_str(), median(ms),
                1000 * median(ms) / static_cast<double>(graph.nodes.size()));
  }
}

}  // namespace

int main() {
  for (const int64_t nodes : {25000, 50000, 100000}) {
    measure("normalisations of a stream", preactivation_net(nodes, 16), cut_a_stream);
    measure("normalisations of layers", residual_net(nodes, 16), fold_layers);
  }
  return 0;
}
