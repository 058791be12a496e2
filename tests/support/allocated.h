// Nets with all that an allocation is made of, and what can be asked of it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "onnx/onnx.h"
#include "prune/budget/allocate.h"
#include "prune/runtimes/runtimes.h"
#include "support/graphs/text_graph.h"
#include "support/shared_data.h"
#include "zoo/zoo.h"

namespace coppice::allocated {

struct Case {
  Graph graph;
  Groups groups;
  Inferred at_one;
  CostModel costs;
  Scores scores;

  explicit Case(Graph model, const char* criterion = "l2")
      : graph(std::move(model)),
        groups(find_groups(graph)),
        at_one(infer(graph)),
        costs(graph, groups, at_one),
        scores(score_units(graph, groups, find_criterion(criterion), {.seed = 1})) {}

  Allocation allocate(const AllocationOptions& options) const {
    return coppice::allocate(groups, costs, scores, options);
  }
  // As widths that this runtime likes.
  Rounding rounding_for(const char* runtime) const {
    return Rounding(*find_runtime(runtime), graph, groups);
  }
  // How many units leave each group.
  std::vector<int64_t> counts(const Removal& removal) const {
    std::vector<int64_t> leave;
    for (const Group& group : groups.free) {
      const auto first = removal.begin() + group.first_unit;
      leave.push_back(std::count(first, first + group.units(), 1));
    }
    return leave;
  }
  std::vector<int64_t> counts(const AllocationOptions& options) const {
    return counts(allocate(options).removal);
  }
};

// 1x1 convolutions of these widths after each other; every width but the last is a group.
inline Graph chain(const std::vector<int64_t>& widths) {
  std::string text = "input x float32 [N, 3, 2, 2]\n", layers;
  int64_t in = 3;
  std::string from = "x";
  for (size_t i = 0; i < widths.size(); ++i) {
    const std::string n = std::to_string(i);
    text += "const w" + n + " float32 [" + std::to_string(widths[i]) + ", " + std::to_string(in) +
            ", 1, 1] random\n";
    layers += "y" + n + " = Conv(" + from + ", w" + n + ")\n";
    in = widths[i];
    from = "y" + n;
  }
  return parse_text_graph(text + layers + "output " + from);
}

inline double share(const Costs& part, const Costs& all, Budget::Of of) {
  return of == Budget::Of::macs
             ? static_cast<double>(part.macs) / static_cast<double>(all.macs)
             : static_cast<double>(part.parameters) / static_cast<double>(all.parameters);
}

inline std::vector<Graph> models() {
  std::vector<Graph> graphs;
  for (const char* name : {"lenet5", "resnet20", "mobilenetv2"}) {
    graphs.push_back(build_zoo_model(name, 1));
  }
  if (const auto data = shared_data()) {
    graphs.push_back(read_onnx(*data / "models/cifar10/resnet56.onnx"));
    graphs.push_back(read_onnx(*data / "models/misc/vww_mobilenet_v1_0.25_96.onnx"));
  }
  return graphs;
}

// Whether giving one of the units back would miss the budget: then it is met to one unit's worth.
inline bool one_more_would_be_too_much(const Case& net, const Allocation& found,
                                       const Budget& budget) {
  for (const Group& group : net.groups.free) {
    for (int64_t u = group.units() - 1; u >= 0; --u) {
      Removal removal = found.removal;
      if (!removal[group.first_unit + u]) continue;
      removal[group.first_unit + u] = 0;
      const Costs costs = net.costs.after(removal);
      if (share(costs, found.before, budget.of) > budget.kept) return true;
      break;  // one of each group is enough to try
    }
  }
  return false;
}

}  // namespace coppice::allocated
