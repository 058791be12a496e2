// See one_sample.h. What isn't sure to keep samples on the first axis ends the walk: the answer is
// then to infer once more.
#include "graph/views/one_sample.h"

#include <algorithm>

#include "graph/op.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

// How a value changes with the batch.
enum class With : uint8_t {
  nothing,  // it doesn't
  samples,  // its first axis is the batch
  sizes,    // its numbers do; they are of shape arithmetic
};

class Walk {
 public:
  Walk(const Graph& graph, const Inferred& inferred, int64_t batch)
      : graph_(graph), inferred_(inferred), batch_(batch), with_(graph.values.size()) {}

  bool label_inputs() {
    for (const ValueId id : graph_.inputs) {
      const auto& declared = graph_.value(id).declared;
      if (!declared) return false;
      if (std::ranges::all_of(*declared, &Dim::fixed)) continue;
      if (!std::all_of(declared->begin() + 1, declared->end(),
                       [](const Dim& dim) { return dim.fixed(); })) {
        return false;
      }
      with_[id] = With::samples;
    }
    return true;
  }

  bool follow(const Node& node) {
    bool samples = false, sizes = false;
    for (const ValueId id : node.inputs) {
      samples = samples || reads(id, With::samples);
      sizes = sizes || reads(id, With::sizes);
    }
    if (!node.captures.empty()) return false;
    if (!samples && !sizes) return true;
    if (reads_only_shape(node)) return give_all(node, With::sizes);
    if (!samples) return are_known(node) && give_all(node, With::sizes);
    return keeps_samples(node) && give_all(node, With::samples);
  }

  Inferred at_one() const {
    Inferred one = inferred_;
    for (size_t i = 0; i < with_.size(); ++i) {
      if (with_[i] == With::samples && one.types[i]) one.types[i]->shape[0] = 1;
      if (with_[i] != With::nothing) one.known[i].reset();
    }
    return one;
  }

 private:
  bool reads(ValueId id, With with) const { return id != kNoValue && with_[id] == with; }
  int64_t rank(ValueId id) const { return std::ssize(inferred_.shape(id)); }

  bool give_all(const Node& node, With with) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) with_[id] = with;
    }
    return true;
  }

  bool are_known(const Node& node) const {
    return std::ranges::all_of(node.outputs, [&](ValueId id) {
      return id == kNoValue || inferred_.known[id].has_value();
    });
  }

  // Of a node that reads samples: all that it gives has them on the first axis, too.
  bool keeps_samples(const Node& node) const {
    if (!node.op) return false;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && !inferred_.has(id)) return false;
    }
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      if (!inferred_.has(id) || inferred_.is_reported(id) || inferred_.is_assumed(id)) return false;
      if (rank(id) == 0 || inferred_.shape(id)[0] != batch_) return false;
    }
    if (looks_up(node)) return true;
    if (names_first_axis(node)) return false;
    if (node.op->macs) return multiplies_each(node);
    if (!reads(node.inputs[0], With::samples))
      return node.op->reach == Reach::element && meets(node);
    if (node.op->moves == Moves::permutes) {
      const auto order = node.attributes.integers("perm");
      return order && !order->empty() && order->front() == 0;
    }
    if (node.op->moves == Moves::reshapes) return !says_batch(node);
    return node.op->reach == Reach::channel || meets(node);
  }

  // Rows of a table by indices of each sample.
  bool looks_up(const Node& node) const {
    return reads_as(node, 0) == Reads::table && node.inputs.size() == 2 &&
           reads(node.inputs[1], With::samples) && with_[node.inputs[0]] == With::nothing &&
           node.attributes.integer("axis", 0) == 0;
  }

  bool names_first_axis(const Node& node) const {
    const bool picks = node.op->moves == Moves::picks && node.inputs.size() == 2;
    if (picks && !node.attributes.has("axis")) return true;  // its default
    const auto first = [&](int64_t axis) {
      return axis == 0 || (axis < 0 && axis + rank(node.inputs[0]) <= 0);
    };
    if (const auto axis = node.attributes.has("axis")
                              ? std::optional(node.attributes.integer("axis", 1))
                              : std::nullopt;
        axis && first(*axis)) {
      return true;
    }
    const auto axes = node.attributes.integers("axes");
    return axes && std::ranges::any_of(*axes, first);
  }

  // A layer of constant weights, or a product of two matrices of each sample.
  bool multiplies_each(const Node& node) const {
    const auto layer = linear_layer_of(node);
    if (!layer || node.attributes.integer("transA", 0) != 0) return false;
    const ValueId data = node.inputs[layer->data], weight = node.inputs[layer->weight];
    if (!reads(data, With::samples)) return false;
    if (with_[weight] == With::nothing) return rank(weight) <= std::max<int64_t>(2, rank(data));
    return !layer->convolves() && layer->bias < 0 && reads(weight, With::samples) &&
           rank(data) >= 3 && rank(data) == rank(weight);
  }

  // A constant target that spells the batch out isn't one of any other.
  bool says_batch(const Node& node) const {
    if (node.inputs.size() < 2 || with_[node.inputs[1]] == With::sizes) return false;
    const Tensor* target = known_value(graph_, inferred_, node.inputs[1]);
    if (!target || is_floating(target->dtype())) return true;
    const std::vector<int64_t> sizes = to_int64s(*target);
    return !sizes.empty() && sizes.front() == batch_;
  }

  // Operands of samples have them on the same axis; others say nothing of it.
  bool meets(const Node& node) const {
    const int64_t all = rank(node.outputs[0] == kNoValue ? node.inputs[0] : node.outputs[0]);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || is_setting(node, i)) continue;
      if (reads(id, With::samples)) {
        if (rank(id) != all) return false;
      } else if (node.op->reach == Reach::element && rank(id) == all &&
                 inferred_.shape(id)[0] != 1) {
        return false;
      }
    }
    return true;
  }

  const Graph& graph_;
  const Inferred& inferred_;
  int64_t batch_;
  std::vector<With> with_;  // by ValueId
};

}  // namespace

std::optional<Inferred> shapes_of_one_sample(const Graph& graph, const Inferred& inferred,
                                             int64_t batch) {
  Walk walk(graph, inferred, batch);
  if (!walk.label_inputs()) return std::nullopt;
  for (const Node& node : graph.nodes) {
    if (!walk.follow(node)) return std::nullopt;
  }
  return walk.at_one();
}

}  // namespace coppice
