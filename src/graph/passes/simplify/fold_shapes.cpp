// A node is computed where it says a shape, picks of one what is the same at both sizes, or reads
// constants that come of these: so there is a reason for what it gives to be the same. A comparison
// with an open size, or its half, may come out equal twice by chance.
#include "graph/passes/simplify/fold_shapes.h"

#include <algorithm>
#include <vector>

#include "core/attempt.h"
#include "graph/is_onnx.h"
#include "graph/op.h"
#include "graph/passes/driver.h"
#include "graph/value_names.h"

namespace coppice {
namespace {

class Folder {
 public:
  Folder(Graph& graph, std::span<const Inferred> inferences)
      : graph_(graph),
        first_(inferences[0]),
        second_(inferences[1]),
        names_(graph),
        from_(graph.values.size(), From::elsewhere) {}

  void run() {
    std::vector<Node> kept;
    for (Node& node : graph_.nodes) {
      follow(node);
      if (is_fixed(node)) {
        for (const ValueId id : node.outputs)
          if (id != kNoValue) set_constant(id, *same(id));
        continue;
      }
      if (is_onnx(node, "Reshape")) say_sizes(node);
      kept.push_back(std::move(node));
    }
    graph_.nodes = std::move(kept);
    remove_dead(graph_);
  }

 private:
  enum class From : uint8_t { elsewhere, picked, computed };  // of shapes, or not

  // The value that it has at both sizes; null where there is none.
  const Tensor* same(ValueId id) const {
    const Tensor* const a = known_value(graph_, first_, id);
    const Tensor* const b = known_value(graph_, second_, id);
    return a && b && *a == *b ? a : nullptr;
  }

  bool is_constant(ValueId id) const {
    return id == kNoValue || graph_.value(id).constant.has_value();
  }

  bool picks(const Node& node) const {
    return node.op->moves != Moves::computes && from_[node.inputs[0]] == From::picked &&
           std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                       [&](ValueId id) { return is_constant(id); });
  }

  // What its outputs come of.
  void follow(const Node& node) {
    if (!node.op || node.inputs.empty() || node.inputs[0] == kNoValue) return;
    From from = From::elsewhere;
    for (const ValueId id : node.inputs)
      if (id != kNoValue && from_[id] != From::elsewhere) from = From::computed;
    if (reads_only_shape(node) || picks(node)) from = From::picked;
    for (const ValueId id : node.outputs)
      if (id != kNoValue) from_[id] = from;
  }

  bool is_fixed(const Node& node) const {
    if (!node.op || node.outputs.empty() || !node.captures.empty()) return false;
    const bool known =
        std::ranges::all_of(node.outputs, [&](ValueId id) { return id == kNoValue || same(id); });
    if (!known || from_[node.outputs[0]] == From::elsewhere) return false;
    return from_[node.outputs[0]] == From::picked ||
           std::ranges::all_of(node.inputs, [&](ValueId id) { return is_constant(id); });
  }

  void set_constant(ValueId id, Tensor tensor) {
    graph_.value(id).dtype = tensor.dtype();
    graph_.value(id).constant = std::move(tensor);
  }

  void say_sizes(Node& node) {
    const ValueId told = node.inputs.size() < 2 ? kNoValue : node.inputs[1];
    if (told == kNoValue || graph_.value(told).constant || !first_.has(node.inputs[0])) return;
    const Tensor* const a = known_value(graph_, first_, told);
    const Tensor* const b = known_value(graph_, second_, told);
    if (!a || !b || a->dtype() != DType::i64 || a->shape() != b->shape() || a->rank() != 1) return;
    if (node.attributes.integer("allowzero", 0) != 0) return;
    std::vector<int64_t> sizes(a->as<int64_t>().begin(), a->as<int64_t>().end());
    bool infers = std::ranges::find(sizes, -1) != sizes.end();
    for (size_t axis = 0; axis < sizes.size(); ++axis) {
      if (sizes[axis] == b->as<int64_t>()[axis]) continue;
      if (is_inputs_own(node, axis, sizes[axis], b->as<int64_t>()[axis])) {
        sizes[axis] = 0;
      } else if (!infers) {
        sizes[axis] = -1;
        infers = true;
      } else {
        return;
      }
    }
    node.inputs[1] = add_constant(graph_, names_.unused("sizes"), Tensor::vector(sizes));
  }

  bool is_inputs_own(const Node& node, size_t axis, int64_t in_first, int64_t in_second) const {
    const Shape &a = first_.shape(node.inputs[0]), &b = second_.shape(node.inputs[0]);
    return axis < a.size() && axis < b.size() && a[axis] == in_first && b[axis] == in_second;
  }

  Graph& graph_;
  const Inferred &first_, &second_;
  ValueNames names_;
  std::vector<From> from_;  // by ValueId of the graph as it came
};

}  // namespace

extern const Pass kFoldShapes{"fold-shapes",
                              "shape arithmetic that is the same at all sizes becomes constants"};

std::vector<Inferred> at_two_sizes(const Graph& graph) {
  const InputSizes first = fitting_sizes(graph, {.inputs = {}, .batch = 2});
  std::vector<Inferred> inferences{infer(graph, first)};
  for (const int64_t other : {2 * first.other + 256, first.other}) {
    const InputSizes sizes{.inputs = {}, .batch = 4, .other = other, .unknown = first.unknown + 32};
    auto second = attempt(ErrorKind::input, [&] { return infer(graph, sizes); });
    if (!second) continue;
    inferences.push_back(std::move(*second));
    break;
  }
  return inferences;
}

void fold_shapes(Graph& graph, std::span<const Inferred> inferences) {
  if (inferences.size() < 2) return;
  run_pass(kFoldShapes, graph, [&] { Folder(graph, inferences).run(); });
}

}  // namespace coppice
