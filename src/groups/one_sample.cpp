#include "groups/one_sample.h"

#include <algorithm>

#include "graph/views/one_sample.h"

namespace coppice {
namespace {

bool leaves_sizes_open(const Graph& graph) {
  return std::ranges::any_of(graph.inputs, [&](ValueId id) {
    const auto& declared = graph.value(id).declared;
    return !declared || !std::ranges::all_of(*declared, &Dim::fixed);
  });
}

}  // namespace

std::optional<Inferred> one_sample_of(const Graph& graph, const Groups& groups) {
  if (!leaves_sizes_open(graph)) return groups.inferred;
  return shapes_of_one_sample(graph, groups.inferred, GroupOptions().sizes.batch);
}

}  // namespace coppice
