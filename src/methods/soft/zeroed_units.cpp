// See zeroed_units.h.
#include "methods/soft/zeroed_units.h"

#include <algorithm>
#include <functional>
#include <set>

#include "graph/views/batch_norm.h"
#include "groups/cut/surgery.h"

namespace coppice {
namespace {

std::string key_of(const Graph& graph, const Slice& slice) {
  return std::to_string(slice.axis) + ":" + graph.value(slice.tensor).name;
}

using Look = std::function<void(const Group& group, const Slice& slice)>;

// The slices that say what is zeroed: filters, or the first of a group that has none.
void for_each_telling(const Groups& groups, const Look& look) {
  for (const Group& group : groups.free) {
    look(group, group.slices.front());
    for (size_t i = 1; i < group.slices.size(); ++i) {
      if (group.slices[i].role == Role::filter) look(group, group.slices[i]);
    }
  }
}

bool is_marked(const NamedTensors& zeroed, const std::string& key, int64_t index) {
  const auto found = zeroed.find(key);
  return found != zeroed.end() && found->second.as<uint8_t>()[index] != 0;
}

// For each index of the axis whether anything there isn't zero.
std::vector<char> nonzero_indices(const Tensor& tensor, int64_t axis) {
  const int64_t size = tensor.shape()[axis];
  int64_t inner = 1;
  for (int64_t a = axis + 1; a < tensor.rank(); ++a) inner *= tensor.shape()[a];
  std::vector<char> nonzero(size, 0);
  const std::span<const float> values = tensor.as<float>();
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (values[i] != 0) nonzero[i / inner % size] = 1;
  }
  return nonzero;
}

}  // namespace

NamedTensors zeroed_units(const Graph& graph, const Groups& groups, const Removal& removal) {
  NamedTensors zeroed;
  for_each_telling(groups, [&](const Group& group, const Slice& slice) {
    const std::vector<int64_t> leaving = leaving_indices(group, slice, removal);
    if (leaving.empty()) return;
    const int64_t size = graph.value(slice.tensor).constant->shape()[slice.axis];
    Tensor& marks =
        zeroed.try_emplace(key_of(graph, slice), Tensor::zeros(DType::u8, {size})).first->second;
    for (const int64_t index : leaving) marks.mutate<uint8_t>()[index] = 1;
  });
  return zeroed;
}

Removal removal_of(const Graph& graph, const Groups& groups, const NamedTensors& zeroed) {
  Removal removal(groups.unit_count, 1);
  for_each_telling(groups, [&](const Group& group, const Slice& slice) {
    const std::string key = key_of(graph, slice);
    for (int64_t u = 0; u < group.units(); ++u) {
      const bool all = std::ranges::all_of(
          slice.indices[u], [&](int64_t index) { return is_marked(zeroed, key, index); });
      if (!all) removal[group.first_unit + u] = 0;
    }
  });
  return removal;
}

NamedTensors normalised_channels(const Graph& graph, const Groups& groups, const Removal& removal) {
  std::set<ValueId> scales;
  for (const Node& node : graph.nodes) {
    if (const auto norm = batch_norm_of(graph, node)) scales.insert(norm->scale);
  }
  NamedTensors channels;
  for (const Group& group : groups.free) {
    for (const Slice& slice : group.slices) {
      if (!scales.contains(slice.tensor)) continue;
      const std::vector<int64_t> leaving = leaving_indices(group, slice, removal);
      if (leaving.empty()) continue;
      const Value& scale = graph.value(slice.tensor);
      Tensor& marks =
          channels.try_emplace(scale.name, Tensor::zeros(DType::f32, scale.constant->shape()))
              .first->second;
      for (const int64_t channel : leaving) marks.mutate<float>()[channel] = 1;
    }
  }
  return channels;
}

int64_t count_filters(const NamedTensors& zeroed) {
  int64_t count = 0;
  for (const auto& [key, marks] : zeroed) count += std::ranges::count(marks.as<uint8_t>(), 1);
  return count;
}

Revival revival_of(const Graph& graph, const Groups& groups, const NamedTensors& before,
                   const NamedTensors& now) {
  Revival revival;
  std::set<std::string> seen;  // units of several groups may have filters in one tensor
  for_each_telling(groups, [&](const Group&, const Slice& slice) {
    const std::string key = key_of(graph, slice);
    const auto marks = before.find(key);
    const Tensor& weight = *graph.value(slice.tensor).constant;
    if (marks == before.end() || weight.dtype() != DType::f32 || !seen.insert(key).second) return;
    const std::vector<char> nonzero = nonzero_indices(weight, slice.axis);
    for (int64_t i = 0; i < std::ssize(nonzero); ++i) {
      if (marks->second.as<uint8_t>()[i] == 0) continue;
      revival.revived += nonzero[i];
      revival.chosen_again += is_marked(now, key, i) ? 1 : 0;
    }
  });
  return revival;
}

}  // namespace coppice
