// See norms.h.
#include "model/norms.h"

#include "core/error.h"
#include "graph/passes/loosen.h"
#include "groups/groups.h"

namespace coppice {

NormsDescription describe_norms(Graph graph) {
  NormsDescription found{.graph = std::move(graph)};
  loosen(found.graph);
  found.layers = norm_statistics(found.graph, find_groups(found.graph), NormsDescription::kRemoved);
  if (found.layers.empty()) {
    fail_target("no filters that could leave", {task_hint("inspect", "says why")});
  }
  found.sets = std::ssize(found.layers);
  for (const NormStatistics& layer : found.layers) {
    found.narrow += !layer.spread();
    found.far_from_zero += !layer.reaches_zero();
    found.overlap += layer.overlap / static_cast<double>(found.layers.size());
  }
  return found;
}

Json to_json(const NormsDescription& description) {
  Json list = Json::array();
  for (const NormStatistics& layer : description.layers) {
    list.push_back({{"weight", description.graph.value(layer.weight).name},
                    {"filters", layer.units},
                    {"mean", layer.mean},
                    {"deviation", layer.deviation},
                    {"least", layer.least},
                    {"most", layer.most},
                    {"overlap", layer.overlap}});
  }
  return {{"norms", list},
          {"removed", NormsDescription::kRemoved},
          {"sets", description.sets},
          {"narrow", description.narrow},
          {"far_from_zero", description.far_from_zero},
          {"overlap", description.overlap}};
}

}  // namespace coppice
