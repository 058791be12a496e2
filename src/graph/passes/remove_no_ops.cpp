// Readers are renamed in one walk: since nodes are in order, a chain of no-ops collapses at once.

#include "graph/passes/remove_no_ops.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "graph/op.h"
#include "graph/passes/driver.h"

namespace coppice {
namespace {

struct Candidate {
  const Graph& graph;
  const Inferred& inferred;
  const Node& node;

  bool same_type() const {
    if (!inferred.has(node.inputs[0]) || !inferred.has(node.outputs[0])) return false;
    const TensorType& from = *inferred.types[node.inputs[0]];
    const TensorType& to = *inferred.types[node.outputs[0]];
    return from.dtype == to.dtype && from.shape == to.shape;
  }
  const Tensor* known(size_t input) const {
    return input < node.inputs.size() ? known_value(graph, inferred, node.inputs[input]) : nullptr;
  }
  bool has(size_t input) const {
    return input < node.inputs.size() && node.inputs[input] != kNoValue;
  }
};

bool always(const Candidate&) { return true; }

// Only a Dropout that surely isn't training; its mask must have no reader.
bool idle_dropout(const Candidate& c) {
  if (c.node.outputs.size() > 1 && c.node.outputs[1] != kNoValue) return false;
  if (!c.has(2)) return true;
  const Tensor *ratio = c.known(1), *training = c.known(2);
  if (ratio && ratio->dtype() == DType::f32 && ratio->size() == 1 && ratio->as<float>()[0] == 0) {
    return true;  // drops nothing, in whatever mode
  }
  return training && training->dtype() == DType::boolean && !training->as<bool>()[0];
}

// Every slice that keeps the shape keeps the order, unless it walks backwards.
bool forward_slice(const Candidate& c) {
  if (!c.has(4)) return true;
  const Tensor* steps = c.known(4);
  if (!steps) return false;
  const auto by = to_int64s(*steps);
  return std::all_of(by.begin(), by.end(), [](int64_t step) { return step > 0; });
}

// A crop on one side and a pad on the other keep the shape, but not the content.
bool empty_pad(const Candidate& c) {
  std::vector<int64_t> pads = c.node.attributes.integers("pads").value_or(std::vector<int64_t>{});
  if (c.has(1)) {
    if (!c.known(1)) return false;
    pads = to_int64s(*c.known(1));
  }
  return std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; });
}

bool identity_transpose(const Candidate& c) {
  const size_t rank = c.inferred.shape(c.node.inputs[0]).size();
  std::vector<int64_t> order(rank), reversed(rank);
  std::iota(order.begin(), order.end(), 0);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return c.node.attributes.integers("perm").value_or(reversed) == order;
}

struct Rule {
  std::string_view type;
  bool (*idle)(const Candidate&);
};
constexpr Rule kRules[] = {
    {"Identity", always},     {"Dropout", idle_dropout},
    {"Cast", always},         {"Reshape", always},
    {"Flatten", always},      {"Squeeze", always},
    {"Unsqueeze", always},    {"Pad", empty_pad},
    {"Slice", forward_slice}, {"Transpose", identity_transpose},
};

bool does_nothing(const Candidate& c) {
  if (!c.node.domain.empty() && c.node.domain != "ai.onnx") return false;
  for (const Rule& rule : kRules) {
    if (c.node.op_type == rule.type) return c.same_type() && rule.idle(c);
  }
  return false;
}

}  // namespace

void remove_no_ops(Graph& graph, const Inferred& inferred) {
  remove_no_ops(graph, std::span(&inferred, 1));
}

extern const Pass kRemoveNoOps{"remove-no-ops", "nodes that give what they get"};

void remove_no_ops(Graph& graph, std::span<const Inferred> inferences) {
  run_pass(kRemoveNoOps, graph, [&] {
    std::vector<ValueId> stands_for(graph.values.size());
    std::iota(stands_for.begin(), stands_for.end(), 0);
    std::vector<char> named(graph.values.size(), 0);  // must keep its name
    for (const ValueId id : graph.outputs) named[id] = 1;
    for (const Node& node : graph.nodes) {
      // Captured names are read inside subgraphs, which aren't rewritten.
      for (const ValueId id : node.captures) named[id] = 1;
    }
    for (Node& node : graph.nodes) {
      for (ValueId& id : node.inputs) {
        if (id != kNoValue) id = stands_for[id];
      }
      const ValueId output = node.outputs.empty() ? kNoValue : node.outputs[0];
      if (output == kNoValue || named[output]) continue;
      const bool idle = std::ranges::all_of(inferences, [&](const Inferred& inferred) {
        return does_nothing({graph, inferred, node});
      });
      if (!idle) continue;
      stands_for[output] = node.inputs[0];
    }
    remove_dead(graph);
  });
}

}  // namespace coppice
