// See bounds.h.
#include "prune/runtimes/bounds.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "graph/is_onnx.h"
#include "graph/value_names.h"

namespace coppice {
namespace {

struct Bounds {
  ValueId low = kNoValue, high = kNoValue;  // kNoValue: none
};

ValueId bound(const Node& node, size_t input) {
  return input < node.inputs.size() ? node.inputs[input] : kNoValue;
}

std::optional<Bounds> bounds_of(const Graph& graph, const Node& node) {
  if (!is_onnx(node, "Clip")) return std::nullopt;
  const Bounds bounds{bound(node, 1), bound(node, 2)};
  if (bounds.low == kNoValue && bounds.high == kNoValue) return std::nullopt;
  for (const ValueId id : {bounds.low, bounds.high}) {
    if (id == kNoValue) continue;
    const auto& constant = graph.value(id).constant;
    if (!constant || constant->dtype() != DType::f32 || constant->size() != 1) return std::nullopt;
  }
  return bounds;
}

class Writer {
 public:
  explicit Writer(Graph& graph) : graph_(graph), names_(graph) {}

  int64_t run() {
    std::vector<Node> clipped = std::exchange(graph_.nodes, {});
    int64_t count = 0;
    for (Node& node : clipped) {
      if (const auto bounds = bounds_of(graph_, node)) {
        write(node, *bounds);
        ++count;
      } else {
        graph_.nodes.push_back(std::move(node));
      }
    }
    return count;
  }

 private:
  bool is_zero(ValueId id) const { return graph_.value(id).constant->as<float>()[0] == 0; }

  ValueId next(const char* op, std::vector<ValueId> inputs) {
    const ValueId output = add_value(graph_, names_.unused("clip"), DType::f32);
    add_node(graph_, op, std::move(inputs), {output});
    return output;
  }

  void write(const Node& node, const Bounds& bounds) {
    const ValueId x = node.inputs[0];
    ValueId kept = x;
    if (bounds.low != kNoValue) {
      const bool zero = is_zero(bounds.low);
      kept = next("Relu", {zero ? x : next("Sub", {x, bounds.low})});
      if (!zero) kept = next("Add", {kept, bounds.low});
    }
    if (bounds.high != kNoValue) {
      const ValueId over = next("Relu", {is_zero(bounds.high) ? x : next("Sub", {x, bounds.high})});
      kept = next("Sub", {kept, over});
    }
    Node& last = graph_.nodes.back();
    last.outputs = {node.outputs[0]};
    last.name = node.name;
  }

  Graph& graph_;
  ValueNames names_;
};

}  // namespace

int64_t clips_to_relus(Graph& graph) {
  const int64_t count = Writer(graph).run();
  if (count > 0) remove_dead(graph);
  return count;
}

}  // namespace coppice
