// See permute.h.
#include "groups/permute.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/error.h"
#include "graph/value_names.h"

namespace coppice {
namespace {

std::vector<int64_t> as_it_lies(int64_t size) {
  std::vector<int64_t> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

// Each unit's indices a stride further than those of the one before.
bool evenly_spaced(std::span<const std::vector<int64_t>> indices) {
  const std::vector<int64_t>& first = indices.front();
  if (indices.size() < 2 || first.empty() || indices[1].empty()) return false;
  const int64_t stride = indices[1][0] - first[0];
  for (size_t u = 1; u < indices.size(); ++u) {
    if (indices[u].size() != first.size()) return false;
    for (size_t k = 0; k < first.size(); ++k) {
      if (indices[u][k] != first[k] + static_cast<int64_t>(u) * stride) return false;
    }
  }
  return stride > 0;
}

bool is_permutation(std::vector<int64_t> order) {
  std::ranges::sort(order);
  return order == as_it_lies(std::ssize(order));
}

}  // namespace

std::vector<char> permutable(const Groups& groups) {
  std::vector<char> may(groups.free.size(), 1);
  const auto judge = [&](size_t g, std::span<const std::vector<int64_t>> indices) {
    may[g] = may[g] && evenly_spaced(indices);
  };
  std::vector<std::vector<int64_t>> indices(static_cast<size_t>(groups.unit_count));
  for (const AxisUnits& axis : groups.axis_pool) {
    std::set<size_t> there;
    for (size_t i = 0; i + 1 < axis.offsets.size(); ++i) {
      for (int32_t u = axis.offsets[i]; u < axis.offsets[i + 1]; ++u) {
        indices[axis.units[u]].push_back(static_cast<int64_t>(i));
        there.insert(group_of(groups, axis.units[u]));
      }
    }
    for (const size_t g : there) {
      const auto of_group =
          std::span(indices).subspan(groups.free[g].first_unit, groups.free[g].units());
      judge(g, of_group);
      for (std::vector<int64_t>& of : of_group) of.clear();
    }
  }
  for (size_t g = 0; g < groups.free.size(); ++g) {
    for (const Slice& slice : groups.free[g].slices) judge(g, slice.indices);
  }
  return may;
}

std::vector<ChannelOrder> orders_of(const Graph& graph, const Group& group,
                                    std::span<const int64_t> units) {
  std::vector<ChannelOrder> orders;
  for (const Slice& slice : group.slices) {
    const Value& value = graph.value(slice.tensor);
    ChannelOrder order{value.name, slice.axis, as_it_lies(value.constant->shape()[slice.axis])};
    for (size_t p = 0; p < units.size(); ++p) {
      const std::vector<int64_t>&to = slice.indices[p], &from = slice.indices[units[p]];
      for (size_t k = 0; k < to.size(); ++k) order.order[to[k]] = from[k];
    }
    orders.push_back(std::move(order));
  }
  return orders;
}

std::vector<ChannelOrder> composed(std::span<const ChannelOrder> orders) {
  // By name, as the numbers of values mean nothing.
  std::map<std::pair<std::string, int64_t>, std::vector<int64_t>> all;
  for (const ChannelOrder& next : orders) {
    const auto [place, added] = all.try_emplace({next.tensor, next.axis}, next.order);
    if (added) continue;
    const std::vector<int64_t> before = place->second;
    for (size_t i = 0; i < before.size(); ++i) place->second[i] = before[next.order[i]];
  }
  std::vector<ChannelOrder> result;
  for (auto& [where, order] : all) result.push_back({where.first, where.second, std::move(order)});
  return result;
}

void reorder_channels(Graph& graph, std::span<const ChannelOrder> orders) {
  const ValueNames names(graph);
  for (const ChannelOrder& order : orders) {
    const std::string where =
        "order of tensor '" + order.tensor + "', axis " + std::to_string(order.axis) + ": ";
    const auto id = names.find(order.tensor);
    if (!id || !graph.value(*id).constant) {
      fail_input(where + "the model has no such tensor; is this another model's plan?");
    }
    Tensor& tensor = *graph.value(*id).constant;
    if (order.axis < 0 || order.axis >= tensor.rank() ||
        tensor.shape()[order.axis] != std::ssize(order.order)) {
      fail_input(where + "the order is of " + std::to_string(order.order.size()) +
                 " indices, the model's tensor has shape " + to_string(tensor.shape()) +
                 "; is this another model's plan?");
    }
    if (!is_permutation(order.order)) {
      fail_input(where + "expected each index from 0 to " + std::to_string(order.order.size() - 1) +
                 " once");
    }
    tensor = take(tensor, order.axis, order.order);
  }
}

}  // namespace coppice
