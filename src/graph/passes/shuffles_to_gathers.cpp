#include "graph/passes/shuffles_to_gathers.h"

#include <algorithm>
#include <numeric>

#include "graph/infer.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

bool is(const Node& node, const char* type) {
  return node.op && node.op_type == type && node.inputs.size() >= 1 && node.outputs.size() == 1;
}

// An axis of `from` that is split into axes first .. first + count - 1 of `to`.
struct SplitAxis {
  int64_t axis, first, count;
};

std::optional<SplitAxis> split_axis(const Shape& from, const Shape& to) {
  const auto shorter = static_cast<int64_t>(from.size()), longer = static_cast<int64_t>(to.size());
  if (longer <= shorter) return std::nullopt;
  int64_t same = 0;
  while (same < shorter && from[same] == to[same]) ++same;
  // Where sizes agree by accident the split may lie further left; each place is tried.
  for (int64_t axis = std::min(same, shorter - 1); axis >= 0; --axis) {
    const int64_t count = longer - shorter + 1;
    const bool tail = std::equal(from.begin() + axis + 1, from.end(), to.begin() + axis + count);
    if (tail && element_count({to.begin() + axis, to.begin() + axis + count}) == from[axis]) {
      return SplitAxis{axis, axis, count};
    }
  }
  return std::nullopt;
}

// The indices of the split axis in their new order; empty where the permutation moves other axes.
std::vector<int64_t> order_of(const SplitAxis& split, const Shape& apart,
                              const std::vector<int64_t>& perm) {
  for (int64_t i = 0; i < static_cast<int64_t>(perm.size()); ++i) {
    const bool inside = i >= split.first && i < split.first + split.count;
    const bool stays = perm[i] >= split.first && perm[i] < split.first + split.count;
    if (inside != stays || (!inside && perm[i] != i)) return {};
  }
  const Shape factors(apart.begin() + split.first, apart.begin() + split.first + split.count);
  std::vector<int64_t> inner, numbers(element_count(factors));
  for (int64_t i = 0; i < split.count; ++i) inner.push_back(perm[split.first + i] - split.first);
  std::iota(numbers.begin(), numbers.end(), 0);
  return to_int64s(transposed(Tensor::of<int64_t>(factors, numbers), inner));
}

class Rewriter {
 public:
  explicit Rewriter(Graph& graph)
      : graph_(graph),
        at_two_(infer(graph, fitting_sizes(graph, {.inputs = {}, .batch = 2}))),
        at_three_(infer(graph, fitting_sizes(graph, {.inputs = {}, .batch = 3}))),
        producer_(producers(graph)),
        readers_(consumers(graph)) {}

  void run() {
    bool changed = false;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) changed |= rewrite(graph_.nodes[n]);
    if (changed) remove_dead(graph_);
  }

 private:
  // The node before `node` if nothing else reads what it gives.
  const Node* before(const Node& node, const char* type) const {
    const ValueId id = node.inputs[0];
    if (id == kNoValue || producer_[id] < 0 || readers_[id].size() != 1) return nullptr;
    if (std::ranges::find(graph_.outputs, id) != graph_.outputs.end()) return nullptr;
    const Node& found = graph_.nodes[producer_[id]];
    return is(found, type) ? &found : nullptr;
  }

  bool rewrite(Node& last) {
    if (!is(last, "Reshape")) return false;
    const Node* transpose = before(last, "Transpose");
    const Node* first = transpose ? before(*transpose, "Reshape") : nullptr;
    if (!first || first->inputs[0] == kNoValue) return false;
    const ValueId x = first->inputs[0], apart = first->outputs[0], y = last.outputs[0];
    if (!at_two_.has(x) || !at_two_.has(apart) || !at_two_.has(y)) return false;
    const Shape& shape = at_two_.shape(x);
    const auto split = split_axis(shape, at_two_.shape(apart));
    const auto perm = transpose->attributes.integers("perm");
    if (shape != at_two_.shape(y) || !split || !perm) return false;
    const auto fixed = [&](ValueId id, int64_t axis) {
      return at_three_.has(id) && at_two_.shape(id)[axis] == at_three_.shape(id)[axis];
    };
    for (int64_t i = 0; i < split->count; ++i) {
      if (!fixed(apart, split->first + i)) return false;
    }
    std::vector<int64_t> order = order_of(*split, at_two_.shape(apart), *perm);
    if (order.empty() || !fixed(x, split->axis)) return false;
    const std::string name = unused_name(graph_, graph_.value(y).name + "_order");
    const ValueId indices = add_constant(graph_, name, Tensor::vector(order));
    Node gather;
    gather.name = last.name;
    gather.op_type = "Gather";
    gather.op = find_operator("", "Gather");
    gather.inputs = {x, indices};
    gather.outputs = {y};
    gather.attributes.set("axis", split->axis);
    last = std::move(gather);
    return true;
  }

  Graph& graph_;
  Inferred at_two_, at_three_;
  std::vector<int32_t> producer_;
  std::vector<std::vector<int32_t>> readers_;
};

}  // namespace

void shuffles_to_gathers(Graph& graph) {
  const bool any =
      std::ranges::any_of(graph.nodes, [](const Node& node) { return is(node, "Transpose"); });
  if (any) Rewriter(graph).run();
}

}  // namespace coppice
