#include "methods/greedy/unit_address.h"

#include <tuple>

namespace coppice {

UnitAddress address_of(const Graph& graph, const Group& group) {
  const Slice* first = nullptr;
  const auto order = [&](const Slice& slice) {
    return std::tuple(slice.role != Role::filter, graph.value(slice.tensor).name, slice.axis);
  };
  for (const Slice& slice : group.slices) {
    if (!first || order(slice) < order(*first)) first = &slice;
  }
  UnitAddress address{.key = graph.value(first->tensor).name + ":" + std::to_string(first->axis),
                      .tensor = first->tensor,
                      .axis = first->axis,
                      .places = {}};
  const std::vector<int64_t>& one = first->indices.front();
  if (one.size() > 1) {  // heads and positions lie on one axis
    address.key += " " + std::to_string(one.size()) + "x" + std::to_string(one[1] - one[0]);
  }
  for (const std::vector<int64_t>& indices : first->indices) {
    address.places.push_back(indices.front());
  }
  return address;
}

}  // namespace coppice
