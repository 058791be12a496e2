// See unit_readers.h.
#include "prune/regression/unit_readers.h"

#include <algorithm>

#include "prune/compensate/places.h"

namespace coppice {
namespace {

class Search {
 public:
  Search(const Graph& graph, const Groups& groups)
      : graph_(graph), groups_(groups), readers_(consumers(graph)), places_(graph) {}

  UnitReaders of(const Group& group) const {
    UnitReaders found;
    for (const Slice& slice : group.slices) {
      if (slice.role != Role::input_channel) continue;
      const std::string& weight = graph_.value(slice.tensor).name;
      if (readers_[slice.tensor].size() != 1) {
        return {{}, "weight '" + weight + "' is read by several nodes"};
      }
      const int32_t n = readers_[slice.tensor].front();
      const Node& node = graph_.nodes[n];
      const auto layer = contraction_of(graph_, node, groups_.inferred, {});
      if (!layer || layer->weight != slice.tensor || layer->input_axis != slice.axis ||
          layer->group != 1) {
        return {
            {},
            where(graph_, node) + " doesn't sum over all channels with weight '" + weight + "'"};
      }
      if (!places_.of(node, *layer)) {
        return {{}, where(graph_, node) + " has no bias of its own to correct"};
      }
      if (!std::ranges::count(found.nodes, n)) found.nodes.push_back(n);
    }
    if (found.nodes.empty()) found.why_none = "no layer sums over them";
    std::ranges::sort(found.nodes);
    return found;
  }

 private:
  const Graph& graph_;
  const Groups& groups_;
  std::vector<std::vector<int32_t>> readers_;
  Places places_;
};

}  // namespace

std::vector<UnitReaders> unit_readers(const Graph& graph, const Groups& groups) {
  const Search search(graph, groups);
  std::vector<UnitReaders> all;
  for (const Group& group : groups.free) all.push_back(search.of(group));
  return all;
}

}  // namespace coppice
