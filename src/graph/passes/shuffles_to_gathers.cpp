#include "graph/passes/shuffles_to_gathers.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "graph/fitted.h"
#include "graph/is_onnx.h"
#include "graph/ops/ops.h"
#include "graph/passes/driver.h"
#include "graph/value_names.h"
#include "graph/views/only_reshapes.h"

namespace coppice {
namespace {

constexpr size_t kLongestChain = 8;
constexpr int64_t kMostElements = 1 << 22;  // of a value that is followed element by element

// Whether the node hands on elements of its first input and decides where they go by constants.
bool moves_elements(const Node& node) {
  const bool moves = only_moves(node) || is_onnx(node, "Gather");
  return moves && node.op->evaluate && node.outputs.size() == 1 && !node.inputs.empty() &&
         node.inputs[0] != kNoValue;
}

bool permutes(const Node& node) { return only_moves(node) && !only_reshapes(node); }

// "index i of `axis` is index order[i] of the source's"
struct Shuffle {
  int64_t axis;
  std::vector<int64_t> order;
  friend bool operator==(const Shuffle&, const Shuffle&) = default;
};

bool is_range(const std::vector<int64_t>& order) {
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i] != order[0] + static_cast<int64_t>(i)) return false;
  }
  return true;
}

// The order in which `axis` was picked from, read off the first of the others; nothing where the
// picks differ along them. `moved`: for each element its number in the source, row-major.
std::optional<Shuffle> picks_from(int64_t axis, const Tensor& moved, const Shape& source) {
  const Shape& shape = moved.shape();
  const std::span<const int64_t> places = moved.as<int64_t>();
  const int64_t inner = element_count({shape.begin() + axis + 1, shape.end()});
  const int64_t rows = element_count({shape.begin(), shape.begin() + axis});
  Shuffle shuffle{axis, std::vector<int64_t>(shape[axis])};
  for (int64_t i = 0; i < shape[axis]; ++i) {
    shuffle.order[i] = places[i * inner] / inner % source[axis];
  }
  int64_t place = 0;
  for (int64_t row = 0; row < rows; ++row) {
    for (const int64_t picked : shuffle.order) {
      const int64_t begin = (row * source[axis] + picked) * inner;
      for (int64_t k = 0; k < inner; ++k) {
        if (places[place++] != begin + k) return std::nullopt;
      }
    }
  }
  return shuffle;
}

// Which axis of the source was picked from, all else being as it was.
std::optional<Shuffle> shuffle_of(const Tensor& moved, const Shape& source) {
  const auto changed = std::ranges::mismatch(moved.shape(), source);
  if (changed.in1 != moved.shape().end()) {
    return picks_from(changed.in1 - moved.shape().begin(), moved, source);
  }
  for (int64_t axis = 0; axis < std::ssize(source); ++axis) {
    if (const auto shuffle = picks_from(axis, moved, source)) return shuffle;
  }
  return std::nullopt;
}

class Rewriter {
 public:
  explicit Rewriter(Graph& graph)
      : graph_(graph),
        at_two_(infer_fitting(graph, {.inputs = {}, .batch = 2}).inferred),
        producer_(producers(graph)) {}

  void run() {
    bool changed = false;
    for (int32_t n = 0; n < std::ssize(graph_.nodes); ++n) changed |= rewrite(n);
    if (changed) remove_dead(graph_);
  }

 private:
  // The nodes from `last` back to the first that doesn't just move elements.
  std::vector<int32_t> chain_to(int32_t last) const {
    std::vector<int32_t> chain;
    for (int32_t n = last; n >= 0 && moves_elements(graph_.nodes[n]) && settings_known(n, at_two_);
         n = producer_[graph_.nodes[n].inputs[0]]) {
      chain.push_back(n);
      if (chain.size() == kLongestChain) break;
    }
    return chain;
  }

  bool settings_known(int32_t n, const Inferred& inferred) const {
    const Node& node = graph_.nodes[n];
    return inferred.has(node.outputs[0]) && inferred.has(node.inputs[0]) &&
           std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](ValueId id) {
             return id == kNoValue || known_value(graph_, inferred, id) != nullptr;
           });
  }

  // Few graphs have a chain that shuffles at batch 2. Of the graph as it was given: rewritten nodes
  // keep their values.
  const Inferred& at_three() {
    if (!at_three_) at_three_ = infer_fitting(graph_, {.inputs = {}, .batch = 3}).inferred;
    return *at_three_;
  }

  // Whether x to y could be picks from one axis, by their sizes alone.
  bool may_be_picks(ValueId x, ValueId y) const {
    const Shape &from = at_two_.shape(x), &to = at_two_.shape(y);
    if (from.size() != to.size() || element_count(from) > kMostElements) return false;
    if (element_count(from) == 0 || element_count(to) == 0) return false;
    int64_t changed = 0;
    for (size_t axis = 0; axis < from.size(); ++axis) changed += from[axis] != to[axis];
    return changed <= 1;
  }

  // What the chain does to numbered elements at the sizes of `inferred`.
  Tensor moved(std::span<const int32_t> chain, const Inferred& inferred) const {
    const Shape& shape = inferred.shape(graph_.nodes[chain.back()].inputs[0]);
    std::vector<int64_t> numbers(element_count(shape));
    std::iota(numbers.begin(), numbers.end(), 0);
    Tensor tensor = Tensor::of<int64_t>(shape, numbers);
    for (size_t i = chain.size(); i-- > 0;) {
      const Node& node = graph_.nodes[chain[i]];
      std::vector<const Tensor*> inputs{&tensor};
      for (size_t k = 1; k < node.inputs.size(); ++k) {
        const ValueId id = node.inputs[k];
        inputs.push_back(id == kNoValue ? nullptr : known_value(graph_, inferred, id));
      }
      tensor = node.op->evaluate(graph_, node, inputs).front();
    }
    return tensor;
  }

  std::optional<Shuffle> shuffle_over(std::span<const int32_t> chain) {
    const ValueId x = graph_.nodes[chain.back()].inputs[0];
    const auto at_two = shuffle_of(moved(chain, at_two_), at_two_.shape(x));
    if (!at_two) return {};
    const Inferred& three = at_three();
    if (!std::ranges::all_of(chain, [&](int32_t n) { return settings_known(n, three); })) return {};
    if (at_two_.shape(x)[at_two->axis] != three.shape(x)[at_two->axis]) return {};
    if (shuffle_of(moved(chain, three), three.shape(x)) != at_two) return {};
    return is_range(at_two->order) ? std::nullopt : at_two;
  }

  bool rewrite(int32_t last) {
    const std::vector<int32_t> chain = chain_to(last);
    // The shortest chain that is a shuffle; a longer one may be several.
    bool transposes = false;
    for (size_t length = 1; length <= chain.size(); ++length) {
      const std::span part(chain.data(), length);
      transposes = transposes || permutes(graph_.nodes[part.back()]);
      const ValueId x = graph_.nodes[part.back()].inputs[0];
      const ValueId y = graph_.nodes[last].outputs[0];
      if (!transposes || length < 3 || !may_be_picks(x, y)) continue;
      const auto shuffle = shuffle_over(part);
      if (!shuffle) continue;
      become_gather(graph_.nodes[last], x, *shuffle);
      return true;
    }
    return false;
  }

  void become_gather(Node& node, ValueId x, const Shuffle& shuffle) {
    const ValueId y = node.outputs[0];
    if (!names_) names_.emplace(graph_);
    const std::string name = names_->unused(graph_.value(y).name + "_order");
    const ValueId indices = add_constant(graph_, name, Tensor::vector(shuffle.order));
    Node gather;
    gather.name = std::move(node.name);
    gather.op_type = "Gather";
    gather.op = find_operator("", "Gather");
    gather.inputs = {x, indices};
    gather.outputs = {y};
    gather.attributes.set("axis", shuffle.axis);
    node = std::move(gather);
  }

  Graph& graph_;
  std::optional<ValueNames> names_;  // once one is needed
  Inferred at_two_;
  std::optional<Inferred> at_three_;  // once a shuffle was met
  std::vector<int32_t> producer_;
};

}  // namespace

extern const Pass kShufflesToGathers{"shuffles-to-gathers", "channel shuffles become index maps"};

void shuffles_to_gathers(Graph& graph) {
  run_pass(kShufflesToGathers, graph, [&] {
    if (std::ranges::any_of(graph.nodes, permutes)) Rewriter(graph).run();
  });
}

}  // namespace coppice
