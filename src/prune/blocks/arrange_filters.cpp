// See arrange_filters.h.
#include "prune/blocks/arrange_filters.h"

#include <algorithm>
#include <cmath>

#include "graph/value_names.h"
#include "prune/blocks/best_order.h"
#include "prune/blocks/filter_blocks.h"

namespace coppice {
namespace {

constexpr int64_t kFewestColumns = 64;

// The filters of a layer that are a group's units: unit u is filter base + u, for each base.
struct Member {
  ValueId weight;
  FilterAxis filters;
  std::vector<int64_t> bases;
};

class Arranging {
 public:
  Arranging(const Graph& graph, const MagnitudeOptions& options, const Masks& masks)
      : graph_(graph), together_(options.together), masks_(masks), axes_(filter_axes(graph)) {}

  std::vector<std::vector<ChannelOrder>> arrange(const Groups& groups) {
    std::vector<std::vector<ChannelOrder>> orders;
    const std::vector<char> may = permutable(groups);
    for (size_t g = 0; g < groups.free.size(); ++g) {
      const Group& group = groups.free[g];
      if (!may[g] || group.units() <= together_) continue;
      const std::vector<Member> members = members_of(group);
      if (members.empty()) continue;
      const std::vector<int64_t> units =
          best_order(magnitudes_of(members, group.units()), together_);
      if (!std::ranges::is_sorted(units)) orders.push_back(orders_of(graph_, group, units));
    }
    return orders;
  }

 private:
  // None where a layer's don't begin at a block.
  std::vector<Member> members_of(const Group& group) const {
    std::vector<Member> members;
    for (const Slice& slice : group.slices) {
      const auto filters = axes_.find(slice.tensor);
      if (slice.role != Role::filter || filters == axes_.end() ||
          filters->second.axis != slice.axis || !masks_.contains(graph_.value(slice.tensor).name)) {
        continue;
      }
      const int64_t of_group = shape_of(slice.tensor)[slice.axis] / filters->second.groups;
      if (of_group < together_) continue;  // it has no blocks
      for (int64_t u = 0; u < group.units(); ++u) {
        if (slice.indices[u][0] != slice.indices[0][0] + u) return {};
      }
      for (const int64_t base : slice.indices[0]) {
        if (base % of_group % together_ != 0) return {};
      }
      members.push_back({slice.tensor, filters->second, slice.indices[0]});
    }
    // So that sums don't depend on the numbers of values.
    std::ranges::sort(members, {}, [&](const Member& m) { return graph_.value(m.weight).name; });
    return members;
  }

  const Shape& shape_of(ValueId id) const { return graph_.value(id).constant->shape(); }

  // Of each member's columns every so many-th.
  Magnitudes magnitudes_of(const std::vector<Member>& members, int64_t units) const {
    int64_t columns = 0;
    for (const Member& member : members) {
      columns += std::ssize(member.bases) * element_count(shape_of(member.weight)) /
                 shape_of(member.weight)[member.filters.axis];
    }
    const auto most = static_cast<int64_t>(kMostPairedCells / static_cast<double>(units * units));
    const int64_t every = (columns - 1) / std::max(kFewestColumns, most) + 1;
    Magnitudes all{.units = units};
    std::vector<std::vector<float>> rows(static_cast<size_t>(units));
    for (const Member& member : members) append(member, every, rows, all.least);
    all.columns = std::ssize(rows.front());
    for (const std::vector<float>& row : rows) {
      all.values.insert(all.values.end(), row.begin(), row.end());
    }
    return all;
  }

  void append(const Member& member, int64_t every, std::vector<std::vector<float>>& rows,
              std::vector<float>& least) const {
    const Shape& shape = shape_of(member.weight);
    const auto weights = graph_.value(member.weight).constant->as<float>();
    int64_t inner = 1;
    for (int64_t a = member.filters.axis + 1; a < std::ssize(shape); ++a) inner *= shape[a];
    const int64_t filters = shape[member.filters.axis];
    const int64_t columns = std::ssize(weights) / filters;
    const size_t before = rows.front().size();
    for (const int64_t base : member.bases) {
      for (size_t u = 0; u < rows.size(); ++u) {
        for (int64_t j = 0; j < columns; j += every) {
          const int64_t filter = base + static_cast<int64_t>(u);
          const int64_t at = (j / inner * filters + filter) * inner + j % inner;
          rows[u].push_back(std::fabs(weights[at]));
        }
      }
    }
    const float limit = least_kept(member, rows, before);
    least.resize(rows.front().size(), limit);
  }

  // The mean magnitude of a cell at which those of this member begin to leave, as they lie.
  float least_kept(const Member& member, const std::vector<std::vector<float>>& rows,
                   size_t before) const {
    std::vector<float> means;
    for (size_t u = 0; u + together_ <= rows.size(); u += together_) {
      for (size_t j = before; j < rows[u].size(); ++j) {
        float sum = 0;
        for (int b = 0; b < together_; ++b) sum += rows[u + b][j];
        means.push_back(sum / static_cast<float>(together_));
      }
    }
    const auto stays = masks_.at(graph_.value(member.weight).name).as<float>();
    const auto zeros = static_cast<double>(std::ranges::count(stays, 0.0f));
    const auto place = static_cast<size_t>(zeros / static_cast<double>(stays.size()) *
                                           static_cast<double>(means.size()));
    if (place >= means.size()) return 0;
    std::ranges::nth_element(means, means.begin() + static_cast<int64_t>(place));
    return means[place];
  }

  const Graph& graph_;
  const int together_;
  const Masks& masks_;
  const std::map<ValueId, FilterAxis> axes_;
};

}  // namespace

std::vector<std::vector<ChannelOrder>> arrange_filters(const Graph& graph, const Groups& groups,
                                                       const MagnitudeOptions& options,
                                                       const Masks& masks) {
  return Arranging(graph, options, masks).arrange(groups);
}

std::map<std::string, std::vector<int64_t>> filter_orders(const Graph& graph,
                                                          std::span<const ChannelOrder> orders) {
  const std::map<ValueId, FilterAxis> axes = filter_axes(graph);
  const ValueNames names(graph);
  std::map<std::string, std::vector<int64_t>> filters;
  for (const ChannelOrder& order : orders) {
    const auto axis = axes.find(*names.find(order.tensor));
    if (axis != axes.end() && axis->second.axis == order.axis) {
      filters.emplace(order.tensor, order.order);
    }
  }
  return filters;
}

}  // namespace coppice
