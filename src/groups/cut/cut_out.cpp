#include "groups/cut/cut_out.h"

#include "graph/passes/select_channels.h"
#include "graph/passes/separate_vectors.h"
#include "groups/cut/surgery.h"

namespace coppice {

Graph cut_out(const Graph& graph, const Groups& groups, const Removal& removal) {
  Graph cut = graph;
  remove_units(cut, groups, removal);
  merge_copies(cut);
  settle_selections(cut);
  return cut;
}

}  // namespace coppice
