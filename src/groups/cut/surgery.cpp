#include "groups/cut/surgery.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/threads.h"
#include "graph/views/quantised.h"
#include "groups/cut/repair.h"

namespace coppice {
namespace {

std::vector<int64_t> indices_that_stay(const std::vector<char>& stays) {
  std::vector<int64_t> indices;
  for (size_t i = 0; i < stays.size(); ++i) {
    if (stays[i]) indices.push_back(static_cast<int64_t>(i));
  }
  return indices;
}

void cut_constant(Tensor& tensor, const Groups& groups, ValueId id, const Removal& removal) {
  std::vector<std::optional<std::vector<int64_t>>> keep(tensor.shape().size());
  bool cut = false;
  for (int64_t axis = 0; axis < tensor.rank(); ++axis) {
    const std::vector<char> stays = alive(groups, id, axis, removal);
    if (std::ranges::find(stays, 0) == stays.end()) continue;
    keep[axis] = indices_that_stay(stays);
    cut = true;
  }
  if (cut) tensor = take(tensor, keep);
}

void cut_constants(Graph& graph, const Groups& groups, const Removal& removal) {
  std::vector<ValueId> constants;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant) constants.push_back(static_cast<ValueId>(i));
  }
  // Large tensors first and dealt out in turn, so the threads finish together.
  std::stable_sort(constants.begin(), constants.end(), [&](ValueId a, ValueId b) {
    return graph.value(a).constant->size() > graph.value(b).constant->size();
  });
  const int64_t parts = thread_count();
  parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      for (size_t i = static_cast<size_t>(part); i < constants.size(); i += parts) {
        cut_constant(*graph.value(constants[i]).constant, groups, constants[i], removal);
      }
    }
  });
}

// Declared shapes follow; an axis with a symbol stays open.
void cut_declarations(Graph& graph, const Groups& groups, const Removal& removal) {
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    auto& declared = graph.values[i].declared;
    if (!declared || groups.axes[i].size() != declared->size()) continue;
    for (size_t axis = 0; axis < declared->size(); ++axis) {
      const std::vector<char> stays = alive(groups, id, static_cast<int64_t>(axis), removal);
      if (stays.empty() || !(*declared)[axis].fixed()) continue;
      (*declared)[axis].size = std::count(stays.begin(), stays.end(), 1);
    }
  }
}

}  // namespace

void remove_units(Graph& graph, const Groups& groups, const Removal& removal) {
  COPPICE_CHECK(static_cast<int32_t>(removal.size()) == groups.unit_count,
                "a removal of other groups");
  remove_dead(graph);  // what nobody reads tied nothing, and can't be repaired
  cut_constants(graph, groups, removal);
  repair_nodes(graph, groups, removal);
  cut_declarations(graph, groups, removal);
  remove_dead(graph);
}

std::vector<int64_t> leaving_indices(const Group& group, const Slice& slice,
                                     const Removal& removal) {
  std::vector<int64_t> leaving;
  for (int64_t u = 0; u < group.units(); ++u) {
    if (!removal[group.first_unit + u]) continue;
    leaving.insert(leaving.end(), slice.indices[u].begin(), slice.indices[u].end());
  }
  return leaving;
}

namespace {

// What stands for zero among codes: their zero points (`zeros`, along the axis of their steps),
// which may be masked themselves by now.
template <typename T>
void fill_what_leaves(Tensor& codes, int64_t axis, const std::vector<char>& stays,
                      int64_t axis_of_steps, const std::vector<int64_t>& zeros) {
  const auto elements = codes.mutate<T>();
  const Shape& shape = codes.shape();
  const int64_t inner = element_count({shape.begin() + axis + 1, shape.end()});
  for_each_place(codes, axis_of_steps, [&](int64_t i, int64_t place) {
    if (stays[i / inner % shape[axis]]) return;
    elements[i] = static_cast<T>(zeros[zeros.size() == 1 ? 0 : place]);
  });
}

void mask_codes(Graph& graph, const Groups& groups, const Removal& removal) {
  for (const Quantised& quantised : quantised_constants(graph)) {
    if (quantised.zero_point == kNoValue) continue;
    const std::vector<int64_t> zeros = zero_points_of(graph, quantised);
    if (std::ranges::all_of(zeros, [](int64_t zero) { return zero == 0; })) continue;
    Tensor& codes = *graph.value(quantised.codes).constant;
    for (int64_t axis = 0; axis < codes.rank(); ++axis) {
      const std::vector<char> stays = alive(groups, quantised.codes, axis, removal);
      if (std::ranges::count(stays, 0) == 0) continue;
      if (codes.dtype() == DType::u8)
        fill_what_leaves<uint8_t>(codes, axis, stays, quantised.axis, zeros);
      if (codes.dtype() == DType::i8)
        fill_what_leaves<int8_t>(codes, axis, stays, quantised.axis, zeros);
    }
  }
}

}  // namespace

void mask_units(Graph& graph, const Groups& groups, const Removal& removal) {
  for (const Group& group : groups.free) {
    for (const Slice& slice : group.slices) {
      const std::vector<int64_t> dead = leaving_indices(group, slice, removal);
      if (dead.empty()) continue;
      fill_slices(*graph.value(slice.tensor).constant, slice.axis, dead,
                  slice.role == Role::divisor ? 1.0f : 0.0f);
    }
  }
  mask_codes(graph, groups, removal);
}

}  // namespace coppice
