// For tests of groups and surgery: groups as one line of text each, and the property that a cut
// graph computes what the masked one does, judged by the reference executor. (ONNX Runtime judges
// real models in remove_equals_mask_test.cpp.) A test that includes this links groups and runtime.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "core/random.h"
#include "groups/cut/surgery.h"
#include "runtime/reference.h"
#include "support/graphs/text_graph.h"

namespace coppice {

// Sums run in another order once terms are gone: some 1e-6 of the largest output.
inline constexpr double kCutTolerance = 1e-4;

// The indices that leave with each unit: "" where unit u is index u, else "=0,4|1,5".
inline std::string indices_text(const Slice& slice) {
  std::ostringstream text;
  bool plain = true;
  for (size_t u = 0; u < slice.indices.size(); ++u) {
    plain = plain && slice.indices[u] == std::vector<int64_t>{static_cast<int64_t>(u)};
    text << (u == 0 ? "=" : "|");
    for (size_t i = 0; i < slice.indices[u].size(); ++i) {
      text << (i == 0 ? "" : ",") << slice.indices[u][i];
    }
  }
  return plain ? "" : text.str();
}

// One line a group: "4: w1.0 b1.0 w2.1" is four units that own axis 0 of w1 and b1, and 1 of w2.
inline std::string text_of(const Graph& graph, const Groups& groups) {
  std::string text;
  for (const Group& group : groups.free) {
    text += std::to_string(group.units()) + ":";
    for (const Slice& slice : group.slices) {
      text += " " + graph.value(slice.tensor).name + "." + std::to_string(slice.axis) +
              indices_text(slice);
    }
    text += "\n";
  }
  return text;
}

inline std::string groups_of(const Graph& graph) { return text_of(graph, find_groups(graph)); }

// "w.0: reason" for each pinned axis.
inline std::string pins_of(const Graph& graph) {
  std::string text;
  GroupOptions options;
  options.explain = Explain::pins;
  for (const Pinned& pin : find_groups(graph, options).pinned) {
    text +=
        graph.value(pin.tensor).name + "." + std::to_string(pin.axis) + ": " + pin.reason + "\n";
  }
  return text;
}

// No axis of any value may run empty: the first index of one that would comes back.
inline void refill_empty_axes(const Groups& groups, Removal& removal) {
  for (const AxisUnits& axis : groups.axis_pool) {
    const auto leaves = [&](size_t i) {
      return std::any_of(axis.units.begin() + axis.offsets[i],
                         axis.units.begin() + axis.offsets[i + 1],
                         [&](int32_t unit) { return removal[unit] != 0; });
    };
    bool empty = true;
    for (size_t i = 0; i + 1 < axis.offsets.size(); ++i) empty = empty && leaves(i);
    if (!empty) continue;
    for (int32_t k = axis.offsets[0]; k < axis.offsets[1]; ++k) removal[axis.units[k]] = 0;
  }
}

inline Removal random_removal(const Groups& groups, double share, Random& random) {
  Removal removal(groups.unit_count, 0);
  for (char& leaves : removal) leaves = random.uniform() < share;
  refill_empty_axes(groups, removal);
  return removal;
}

// Floats are normal; integers are indices that always fit: zeros and ones.
inline std::vector<Tensor> random_inputs(const Graph& graph, int64_t batch, Random& random) {
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs) {
    const Shape shape = input_shape(graph, id, {.inputs = {}, .batch = batch});
    Tensor tensor = Tensor::zeros(graph.value(id).dtype, shape);
    if (tensor.dtype() == DType::f32) random.fill_normal(tensor.mutate<float>(), 1);
    if (tensor.dtype() == DType::i64) {
      for (int64_t& element : tensor.mutate<int64_t>()) {
        element = static_cast<int64_t>(random.below(2));
      }
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

// Relative to the largest element of `a`; 1 or more where shapes differ or something isn't finite.
inline double difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return 2;
  if (a.dtype() != DType::f32) return a == b ? 0 : 1;
  double largest = 0, off = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.as<float>()[i], y = b.as<float>()[i];
    if (!std::isfinite(x) || !std::isfinite(y)) return 3;
    largest = std::max(largest, std::fabs(x));
    off = std::max(off, std::fabs(x - y));
  }
  return off == 0 ? 0 : off / std::max(largest, 1e-20);
}

// The floats that both graphs compute. Not the numbers of shape arithmetic: they may change.
inline std::vector<ValueId> shared_values(const Groups& groups, const Graph& cut) {
  std::vector<ValueId> values;
  for (const Node& node : cut.nodes) {
    for (const ValueId id : node.outputs) {
      const bool old = id != kNoValue && static_cast<size_t>(id) < groups.inferred.types.size();
      if (!old || !groups.inferred.has(id) || groups.inferred.known[id]) continue;
      if (groups.inferred.types[id]->dtype == DType::f32) values.push_back(id);
    }
  }
  return values;
}

// What stays of a value of the original graph once the units have left.
inline Tensor survivors(const Groups& groups, ValueId id, Tensor tensor, const Removal& removal) {
  for (int64_t axis = 0; axis < tensor.rank(); ++axis) {
    const std::vector<char> stays = alive(groups, id, axis, removal);
    if (stays.empty()) continue;
    std::vector<int64_t> keep;
    for (size_t i = 0; i < stays.size(); ++i) {
      if (stays[i]) keep.push_back(static_cast<int64_t>(i));
    }
    tensor = take(tensor, axis, keep);
  }
  return tensor;
}

// Masks and cuts the units, runs both at several batches, and gives the cut graph back. Not only
// the outputs agree but, at the batch that was traced, every value in between at the indices that
// survive: a dead Relu or a saturated gate would hide a wrong cut from the outputs.
inline Graph expect_cut_equals_mask(const Graph& graph, const Groups& groups,
                                    const Removal& removal, Random& random) {
  Graph masked = graph, cut = graph;
  mask_units(masked, groups, removal);
  remove_units(cut, groups, removal);
  verify(cut);
  bool open = false;
  for (const ValueId id : graph.inputs) {
    open = open || !graph.value(id).declared->front().fixed();
  }
  for (const int64_t batch : open ? std::vector<int64_t>{2, 1, 3} : std::vector<int64_t>{2}) {
    const auto watch = batch == 2 ? shared_values(groups, cut) : std::vector<ValueId>{};
    const std::vector<Tensor> inputs = random_inputs(graph, batch, random);
    const std::vector<Tensor> expected = run_reference(masked, inputs, watch);
    const std::vector<Tensor> found = run_reference(cut, inputs, watch);
    for (size_t i = 0; i < expected.size(); ++i) {
      const bool output = i < graph.outputs.size();
      const ValueId id = output ? graph.outputs[i] : watch[i - graph.outputs.size()];
      const Tensor left = output ? expected[i] : survivors(groups, id, expected[i], removal);
      EXPECT_LT(difference(left, found[i]), kCutTolerance)
          << "value '" << graph.value(id).name << "' at batch " << batch << ": masked "
          << to_string(left.shape()) << ", cut " << to_string(found[i].shape());
    }
    if (::testing::Test::HasFailure()) break;
  }
  return cut;
}

// The property for each unit alone and at several random removals; `graph` must have something to
// remove.
inline void expect_cut_equals_mask(const Graph& graph) {
  const Groups groups = find_groups(graph);
  ASSERT_GT(groups.unit_count, 0) << "nothing is free";
  Random random(1);
  for (int32_t unit = 0; unit < groups.unit_count; ++unit) {
    SCOPED_TRACE("unit " + std::to_string(unit));
    Removal removal(groups.unit_count, 0);
    removal[unit] = 1;
    refill_empty_axes(groups, removal);
    ASSERT_NO_THROW(expect_cut_equals_mask(graph, groups, removal, random));
    if (::testing::Test::HasFailure()) return;
  }
  bool removed = false;
  for (const double share : {0.2, 0.5, 0.5, 0.9}) {
    const Removal removal = random_removal(groups, share, random);
    removed = removed || std::ranges::count(removal, 1) > 0;
    SCOPED_TRACE("share " + std::to_string(share));
    ASSERT_NO_THROW(expect_cut_equals_mask(graph, groups, removal, random));
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_TRUE(removed) << "nothing was ever removed";
}

// The graph has these groups (as text_of writes them), and the property.
inline void expect_groups(const std::string& text, const std::string& groups) {
  const Graph graph = parse_text_graph(text);
  EXPECT_EQ(groups_of(graph), groups);
  expect_cut_equals_mask(graph);
}

}  // namespace coppice
