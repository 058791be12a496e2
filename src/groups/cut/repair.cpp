// What each value's shape becomes is known from its labels, so numbers are never patched by guess:
// every input that holds sizes is evaluated under the new sizes and compared entry by entry with
// what the operator wants. Most shape arithmetic adapts by itself. Where an entry is wrong:
//
//   the input is a constant, or computed from constants alone   a new constant for this reader
//   computed at run time from Shape                             Where(mask, literal, computed)
//
// A computed entry of a Reshape becomes -1 rather than a literal, since it may grow with the batch.
// A number from shape arithmetic that reaches data, not a size, is scaled back to its old value.
// Constants are shared between nodes, which is why a repaired one is always new.

#include "groups/cut/repair.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "graph/ops/ops.h"
#include "graph/value_names.h"
#include "graph/views/carried.h"

namespace coppice {
namespace {

constexpr int64_t kEvaluateLimit = 4096;  // larger values are data, not sizes

class Repairer final : public RepairContext {
 public:
  Repairer(Graph& graph, const Groups& groups, const Removal& removal)
      : graph_(graph), groups_(groups), removal_(removal) {}

  void run() {
    find_changes();
    evaluate_sizes();
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      node_ = &node;
      keep_scales();
      if (node.op && node.op->repair && shapes_known()) node.op->repair(*this);
      for (const ValueId id : node.outputs) {
        if (id != kNoValue) producer_[id] = static_cast<int32_t>(graph_.nodes.size());
      }
      graph_.nodes.push_back(std::move(node));
    }
  }

  const Node& node() const override { return *node_; }
  const Graph& graph() const override { return graph_; }
  const Shape& old_input(int input) const override {
    return groups_.inferred.shape(node_->inputs[input]);
  }
  const Shape& old_output(int output) const override {
    return groups_.inferred.shape(node_->outputs[output]);
  }
  const Shape& new_input(int input) const override { return shapes_[node_->inputs[input]]; }
  const Shape& new_output(int output) const override { return shapes_[node_->outputs[output]]; }
  std::vector<bool> input_alive(int input, int64_t axis) const override {
    return flags(node_->inputs[input], axis);
  }
  std::vector<bool> output_alive(int output, int64_t axis) const override {
    return flags(node_->outputs[output], axis);
  }
  const Tensor* known(int input) const override {
    return has_input(input) ? known_value(graph_, groups_.inferred, node_->inputs[input]) : nullptr;
  }
  void set_attribute(const std::string& name, AttributeValue value) override {
    node_->attributes.set(name, std::move(value));
  }

  const Tensor* now(int input) const override {
    return has_input(input) ? value_now(node_->inputs[input]) : nullptr;
  }
  void erase_attribute(const std::string& name) override { node_->attributes.erase(name); }

  void want(int input, const std::vector<int64_t>& values) override {
    if (!has_input(input)) {
      const std::string stem = graph_.value(node_->outputs[0]).name + "_sizes";
      node_->inputs.resize(std::max<size_t>(node_->inputs.size(), input + 1), kNoValue);
      node_->inputs[input] = new_constant(stem, Tensor::vector(values));
      return;
    }
    const std::vector<int64_t> found = current(input);
    if (found != values) rewrite(input, found, values);
  }

  void want_table(int input, const std::vector<int64_t>& values, Shape shape) override {
    if (current(input) == values) return;
    const ValueId old = node_->inputs[input];
    node_->inputs[input] =
        new_constant(graph_.value(old).name + "_cut",
                     integers(values, std::move(shape), value_now(old)->dtype()));
  }

  void become_gather(int64_t axis, const std::vector<int64_t>& indices) override {
    const ValueId picks =
        new_constant(graph_.value(node_->outputs[0]).name + "_picks", Tensor::vector(indices));
    node_->op_type = "Gather";
    node_->op = find_operator("", "Gather");
    node_->inputs = {node_->inputs[0], picks};
    node_->attributes = {};
    node_->attributes.set("axis", axis);
  }

  void want_shape(int input, const Shape& shape) override {
    const std::vector<int64_t> found = current(input);
    std::vector<int64_t> fitting = fitting_reshape(graph_, *node_, new_input(0), found, shape);
    if (fitting == found) return;
    leave_computed_size_open(node_->inputs[input], found, fitting);
    rewrite(input, found, fitting);
  }

 private:
  void find_changes() {
    const std::vector<int64_t> counts = alive_counts(groups_, removal_);
    shapes_.resize(graph_.values.size());
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      if (!groups_.inferred.has(id)) continue;
      shapes_[i] = shape_after(groups_, id, groups_.inferred.shape(id), counts);
    }
  }

  // Shape arithmetic under the new sizes: Shape answers from `shapes_`, the rest is evaluated.
  void evaluate_sizes() {
    values_.resize(graph_.values.size());
    from_shapes_.resize(graph_.values.size(), 0);
    producer_.resize(graph_.values.size(), -1);
    for (const Node& node : graph_.nodes) {
      mark_from_shapes(node);
      if (!node.op) continue;
      if (reads_only_shape(node)) {
        evaluate_shape(node);
        continue;
      }
      if (!can_evaluate(graph_, node)) {
        keep_known(node);
        continue;
      }
      std::vector<const Tensor*> inputs;
      for (const ValueId id : node.inputs) inputs.push_back(value_now(id));
      bool ready = true;
      for (size_t i = 0; i < inputs.size(); ++i) {
        ready = ready &&
                (node.inputs[i] == kNoValue || (inputs[i] && inputs[i]->size() <= kEvaluateLimit));
      }
      for (const ValueId id : node.outputs) {
        ready = ready && id != kNoValue && !graph_.value(id).constant && !has_units(id) &&
                element_count(shapes_[id]) <= kEvaluateLimit;
      }
      if (!ready) continue;
      std::vector<Tensor> outputs = node.op->evaluate(graph_, node, inputs);
      for (size_t o = 0; o < outputs.size() && o < node.outputs.size(); ++o) {
        values_[node.outputs[o]] = std::move(outputs[o]);
      }
    }
  }

  // What is computed from the shape of something that exists only at run time.
  void mark_from_shapes(const Node& node) {
    const bool marked = reads_only_shape(node) || std::ranges::any_of(node.inputs, [&](ValueId id) {
                          return id != kNoValue && from_shapes_[id] != 0;
                        });
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) from_shapes_[id] = marked;
    }
  }

  // Sizes never carry units; what does is a weight on its way through a Reshape.
  bool has_units(ValueId id) const {
    const std::vector<int32_t>& axes = groups_.axes[id];
    return std::any_of(axes.begin(), axes.end(), [](int32_t pooled) { return pooled >= 0; });
  }

  void evaluate_shape(const Node& node) {
    const ValueId in = node.inputs[0], out = node.outputs[0];
    if (!groups_.inferred.has(in) || !groups_.inferred.known[out]) return;
    if (node.op_type == "Size") {
      values_[out] = Tensor::of<int64_t>({}, std::vector<int64_t>{element_count(shapes_[in])});
      return;
    }
    const auto rank = static_cast<int64_t>(shapes_[in].size());
    const int64_t given = node.attributes.integer("start", 0);
    const int64_t start = std::clamp<int64_t>(given < 0 ? given + rank : given, 0, rank);
    const int64_t count = groups_.inferred.known[out]->size();
    values_[out] =
        Tensor::vector({shapes_[in].begin() + start, shapes_[in].begin() + start + count});
  }

  // Constants that inference made known (value_ints and the like) don't depend on sizes.
  void keep_known(const Node& node) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && node.inputs.empty()) values_[id] = groups_.inferred.known[id];
    }
  }

  const Tensor* value_now(ValueId id) const {
    if (id == kNoValue) return nullptr;
    if (graph_.value(id).constant) return &*graph_.value(id).constant;
    return values_[id] ? &*values_[id] : nullptr;
  }

  bool shapes_known() const {
    const auto known = [&](ValueId id) { return id == kNoValue || groups_.inferred.has(id); };
    const auto own = [&](ValueId id) { return known(id) && !groups_.inferred.is_reported(id); };
    return std::all_of(node_->inputs.begin(), node_->inputs.end(), known) &&
           std::all_of(node_->outputs.begin(), node_->outputs.end(), own);
  }

  // A number from shape arithmetic that scales data (1 / sqrt(width)) keeps its old value: it is
  // multiplied by what the cut changed it by, which holds at any batch.
  void keep_scales() {
    if (!node_->op || std::ranges::all_of(node_->outputs, [&](ValueId id) {
          return id == kNoValue || known_value(graph_, groups_.inferred, id);
        })) {
      return;  // shape arithmetic itself
    }
    for (size_t i = 0; i < node_->inputs.size(); ++i) {
      const ValueId id = node_->inputs[i];
      if (is_setting(*node_, i) || id == kNoValue || graph_.value(id).constant) continue;
      if (id >= static_cast<ValueId>(groups_.inferred.known.size())) continue;
      if (!computed_from_shapes(id)) continue;  // made of weights, and right as it is
      const auto &old = groups_.inferred.known[id], &found = values_[id];
      if (!old || !found || *old == *found) continue;
      node_->inputs[i] = scaled_back(id, *old, *found);
    }
  }

  ValueId scaled_back(ValueId id, const Tensor& old, const Tensor& found) {
    const std::string stem = graph_.value(id).name + "_before";
    Tensor factor = old;
    if (old.dtype() != DType::f32 || found.dtype() != DType::f32 || old.shape() != found.shape()) {
      return new_constant(stem, std::move(factor));
    }
    const auto factors = factor.mutate<float>();
    for (size_t i = 0; i < factors.size(); ++i) {
      const float now = found.as<float>()[i];
      if (now == 0) return new_constant(stem, old);
      factors[i] /= now;
    }
    const ValueId by = new_constant(stem + "_factor", std::move(factor));
    const ValueId scaled = new_value(stem, DType::f32);
    add_node(graph_, "Mul", {id, by}, {scaled}, {}, graph_.value(scaled).name);
    return scaled;
  }

  std::vector<bool> flags(ValueId id, int64_t axis) const {
    const std::vector<char> stays = alive(groups_, id, axis, removal_);
    if (stays.empty()) return std::vector<bool>(groups_.inferred.shape(id)[axis], true);
    return {stays.begin(), stays.end()};
  }

  std::vector<int64_t> current(int input) const {
    const Tensor* value = value_now(node_->inputs[input]);
    if (!value) {
      throw Error(ErrorKind::target,
                  where(graph_, *node_) + ": input '" + graph_.value(node_->inputs[input]).name +
                      "' holds sizes that changed, but it is computed in a way "
                      "that can't be followed",
                  {option_hint("keep", "", "can leave its layers alone")});
    }
    return to_int64s(*value);
  }

  // A wrong size that is computed may grow with the batch, and the number that is right at the
  // traced batch is wrong at any other: -1 is right at all. There can be one.
  void leave_computed_size_open(ValueId sizes, const std::vector<int64_t>& found,
                                std::vector<int64_t>& fitting) const {
    if (found.size() != fitting.size() || std::ranges::count(fitting, -1) > 0) return;
    if (std::ranges::count(fitting, 0) > 0) return;
    const std::vector<bool> computed = computed_entries(sizes, found.size());
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i] == fitting[i] || !computed[i]) continue;
      fitting[i] = -1;
      return;
    }
  }

  // Which entries of a vector come from a shape at run time, as far as a Concat tells them apart.
  std::vector<bool> computed_entries(ValueId id, size_t count) const {
    const int32_t producer = producer_[id];
    if (producer < 0 || graph_.nodes[producer].op_type != "Concat") {
      return std::vector<bool>(count, computed_from_shapes(id));
    }
    std::vector<bool> entries;
    for (const ValueId piece : graph_.nodes[producer].inputs) {
      const Tensor* value = value_now(piece);
      entries.insert(entries.end(), value ? value->size() : 0, computed_from_shapes(piece));
    }
    entries.resize(count, false);
    return entries;
  }

  bool computed_from_shapes(ValueId id) const { return from_shapes_[id] != 0; }

  static Tensor integers(const std::vector<int64_t>& values, Shape shape, DType dtype) {
    if (dtype != DType::i32) return Tensor::of<int64_t>(std::move(shape), values);
    return Tensor::of<int32_t>(std::move(shape),
                               std::vector<int32_t>(values.begin(), values.end()));
  }

  ValueId new_constant(const std::string& stem, Tensor tensor) {
    const ValueId id = new_value(stem, tensor.dtype());
    graph_.value(id).constant = std::move(tensor);
    return id;
  }

  ValueId new_value(const std::string& stem, DType dtype) {
    if (!names_) names_.emplace(graph_);
    const ValueId id = add_value(graph_, names_->unused(stem), dtype);
    shapes_.resize(graph_.values.size());
    values_.resize(graph_.values.size());
    from_shapes_.resize(graph_.values.size(), 0);
    producer_.resize(graph_.values.size(), -1);
    return id;
  }

  void rewrite(int input, const std::vector<int64_t>& now, const std::vector<int64_t>& wanted) {
    const ValueId old = node_->inputs[input];
    const Tensor value = *value_now(old);  // a copy: new constants move the graph's values
    const std::string stem = graph_.value(old).name + "_cut";
    const auto count = static_cast<int64_t>(wanted.size());
    Tensor literal =
        integers(wanted, value.size() == count ? value.shape() : Shape{count}, value.dtype());
    if (!computed_from_shapes(old) || now.size() != wanted.size() || graph_.opset < 9) {
      node_->inputs[input] = new_constant(stem, std::move(literal));
    } else {
      std::vector<uint8_t> wrong;
      for (size_t i = 0; i < now.size(); ++i) wrong.push_back(now[i] != wanted[i]);
      Tensor mask = Tensor::zeros(DType::boolean, literal.shape());
      std::ranges::copy(std::as_bytes(std::span(wrong)), mask.mutate_bytes().begin());
      const ValueId condition = new_constant(stem + "_where", std::move(mask));
      const ValueId sizes = new_constant(stem + "_sizes", std::move(literal));
      const ValueId patched = new_value(stem, value.dtype());
      add_node(graph_, "Where", {condition, sizes, old}, {patched}, {}, graph_.value(patched).name);
      node_->inputs[input] = patched;
    }
  }

  Graph& graph_;
  const Groups& groups_;
  const Removal& removal_;
  Node* node_ = nullptr;
  std::vector<Shape> shapes_;                  // of every value, after the cut
  std::vector<std::optional<Tensor>> values_;  // shape arithmetic under the new sizes
  std::vector<char> from_shapes_;
  std::vector<int32_t> producer_;    // index into graph_.nodes, of nodes repaired so far
  std::optional<ValueNames> names_;  // once one is needed
};

}  // namespace

void repair_nodes(Graph& graph, const Groups& groups, const Removal& removal) {
  Repairer(graph, groups, removal).run();
}

}  // namespace coppice
