#include "groups/tracing/trace.h"

#include <algorithm>

#include "core/error.h"
#include "graph/views/carried.h"

namespace coppice {
namespace {

class Tracer final : public Relations {
 public:
  Tracer(const Graph& graph, Trace& trace, const TraceOptions& options)
      : graph_(graph), trace_(trace), options_(options), live_(live_values(graph)) {}

  void run() {
    label_constants();
    find_stored();
    label_inputs();
    for (size_t n = 0; n < graph_.nodes.size(); ++n) visit(static_cast<int32_t>(n));
    for (const ValueId id : graph_.outputs) {
      pin_value(id, {PinKind::meaning, "output '" + graph_.value(id).name + "' of the model", -1});
    }
    pin_what_would_empty_an_axis();
  }

  const Graph& graph() const override { return graph_; }
  const Node& node() const override { return *node_; }
  const Shape& input_shape(int input) const override { return shape_of(node_->inputs[input]); }
  const Shape& output_shape(int output) const override { return shape_of(node_->outputs[output]); }
  DType dtype(int input) const override {
    return trace_.inferred.types[node_->inputs[input]]->dtype;
  }
  const Tensor* known(int input) const override {
    return has_input(input) ? known_value(graph_, trace_.inferred, node_->inputs[input]) : nullptr;
  }
  bool is_read(int output) const override {
    const bool has = output < std::ssize(node_->outputs);
    return has && node_->outputs[output] != kNoValue && live_[node_->outputs[output]] != 0;
  }

  const Axis& input(int input, int64_t axis) const override {
    return trace_.values[node_->inputs[input]].axes[axis];
  }
  bool zero_when_dead(int input, int64_t axis) const override {
    return trace_.values[node_->inputs[input]].zero_when_dead[axis] != 0;
  }
  void output(int output, int64_t axis, Axis labels, bool zero) override {
    const ValueId id = node_->outputs[output];
    if (id == kNoValue) return;
    ValueTrace& value = trace_.values[id];
    COPPICE_CHECK(static_cast<int64_t>(labels.size()) == shape_of(id)[axis],
                  where(graph_, *node_) + " labels " + std::to_string(labels.size()) +
                      " of an axis of " + std::to_string(shape_of(id)[axis]));
    value.axes[axis] = std::move(labels);
    value.zero_when_dead[axis] = zero;
  }
  Axis fresh(int64_t count) override { return trace_.labels.fresh(count); }
  void unify(const Axis& a, const Axis& b, const std::string& why) override {
    trace_.labels.unify(a, b,
                        {PinKind::meaning, "meets an axis that can't shrink: " + why, index_});
  }
  void pin(const Axis& axis, PinKind kind, const std::string& why) override {
    if (kind == PinKind::statistics && options_.statistics == Statistics::free) return;
    trace_.labels.pin(axis, {kind, why, index_});
  }
  std::vector<Axis> factor(const Axis& axis, std::span<const int64_t> sizes,
                           const std::string& why) override {
    return trace_.labels.factor(axis, sizes, {PinKind::meaning, "ragged blocks: " + why, index_});
  }
  Axis join(const std::vector<Axis>& axes) override {
    Axis product = axes.front();
    for (size_t i = 1; i < axes.size(); ++i) product = trace_.labels.join(product, axes[i]);
    return product;
  }
  void role(int input, int64_t axis, Role role) override {
    const Stored& stored = stored_[node_->inputs[input]];
    if (stored.constant == kNoValue) return;
    Role& own = trace_.values[stored.constant].roles[stored.axes[axis]];
    if (own == Role::other) own = role;
  }
  bool frozen(const Axis& axis) override {
    return std::ranges::all_of(axis, [&](Label label) {
      return std::ranges::all_of(trace_.labels.tags(label),
                                 [&](Label tag) { return trace_.labels.pin_of(tag) != nullptr; });
    });
  }

 private:
  const Shape& shape_of(ValueId id) const { return trace_.inferred.shape(id); }

  // Every axis of a value starts as "always there".
  void start(ValueId id) {
    ValueTrace& value = trace_.values[id];
    for (const int64_t size : shape_of(id)) value.axes.push_back(always(size));
    value.zero_when_dead.assign(value.axes.size(), 0);
  }

  size_t indices_of_constants() const {
    size_t count = 0;
    for (const Value& value : graph_.values) {
      if (!value.constant || !is_floating(value.constant->dtype())) continue;
      for (const int64_t size : value.constant->shape()) count += static_cast<size_t>(size);
    }
    return count;
  }

  // Integers that are read as the codes, or zero points, of floats.
  bool is_quantised(const std::vector<int32_t>& readers, ValueId id) const {
    return std::ranges::all_of(readers, [&](int32_t n) {
      const Node& node = graph_.nodes[n];
      bool as_code = false, otherwise = false;  // what a subgraph reads is neither
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] != id) continue;
        const Reads as = reads_as(node, i);
        (as == Reads::code || as == Reads::zero_point ? as_code : otherwise) = true;
      }
      return as_code && !otherwise;
    });
  }

  // An axis of length one starts unlabelled, which settles the one-channel and broadcast traps;
  // integers are shape arithmetic, not weights.
  void label_constants() {
    const std::vector<std::vector<int32_t>> readers = consumers(graph_);
    trace_.labels.reserve(indices_of_constants());
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      if (!trace_.inferred.has(id)) continue;
      start(id);
      const auto& constant = graph_.value(id).constant;
      if (!constant || readers[i].empty()) continue;  // what nobody reads is no layer's weight
      ValueTrace& value = trace_.values[id];
      value.roles.assign(value.axes.size(), Role::other);
      if (!is_floating(constant->dtype()) && !is_quantised(readers[i], id)) continue;
      value.zero_when_dead.assign(value.axes.size(), 1);
      for (Axis& axis : value.axes) {
        if (axis.size() > 1) axis = trace_.labels.fresh(static_cast<int64_t>(axis.size()));
      }
    }
  }

  // An input's channels can't go. They could stay unlabelled, but as pinned tags they carry a
  // better reason to whoever reads them than "meets an axis that can't shrink".
  void label_inputs() {
    for (const ValueId id : graph_.inputs) {
      ValueTrace& value = trace_.values[id];
      if (value.axes.size() < 2 || value.axes[1].size() < 2) continue;
      value.axes[1] = trace_.labels.fresh(static_cast<int64_t>(value.axes[1].size()));
      trace_.labels.pin(value.axes[1], {PinKind::meaning,
                                        "input '" + graph_.value(id).name + "' of the model", -1});
    }
  }

  // What a layer reads may be a constant in another form: cast, dequantised, transposed.
  void find_stored() {
    stored_.resize(graph_.values.size());
    for (size_t i = 0; i < stored_.size(); ++i) {
      if (trace_.values[i].roles.empty()) continue;
      stored_[i].constant = static_cast<ValueId>(i);
      for (size_t axis = 0; axis < trace_.values[i].axes.size(); ++axis) {
        stored_[i].axes.push_back(static_cast<int64_t>(axis));
      }
    }
    for (const Node& node : graph_.nodes) {
      if (node.inputs.empty() || node.inputs[0] == kNoValue || !node.op) continue;
      const Stored& from = stored_[node.inputs[0]];
      if (from.constant == kNoValue || node.outputs.empty() || node.outputs[0] == kNoValue)
        continue;
      const bool converts = reads_as(node, 0) == Reads::code && !node.op->macs;
      const bool alike =
          node.op->reach == Reach::element && (node.op->idle || node.op->moves == Moves::reshapes);
      if (converts || alike) {
        stored_[node.outputs[0]] = from;
      } else if (node.op->moves == Moves::permutes && node.attributes.has("perm")) {
        Stored& to = stored_[node.outputs[0]];
        to.constant = from.constant;
        const std::vector<int64_t> order = node.attributes.integers("perm").value_or(Shape{});
        for (const int64_t axis : order) to.axes.push_back(from.axes.at(axis));
      }
    }
  }

  void pin_value(ValueId id, const Pin& reason) {
    for (const Axis& axis : trace_.values[id].axes) trace_.labels.pin(axis, reason);
  }

  void visit(int32_t index) {
    index_ = index;
    node_ = &graph_.nodes[index];
    if (is_dead()) return;  // it leaves with the first cut
    for (const ValueId id : node_->captures) {
      pin_value(id, {PinKind::unknown, "read inside a subgraph", index});
    }
    if (const std::string reason = obstacle(); !reason.empty()) {
      for (const ValueId id : node_->inputs) {
        if (id != kNoValue) pin_value(id, {PinKind::unknown, reason, index});
      }
      return;
    }
    for (int input = 0; input < inputs(); ++input) {
      if (!is_setting(*node_, input)) continue;
      pin_input(*this, input, PinKind::meaning, "a parameter of the operator");
    }
    node_->op->relate(*this);
  }

  // Why the operator can't be asked; empty where it can.
  std::string obstacle() const {
    if (!node_->op) return "operator " + node_->op_type + " isn't known to coppice";
    if (!node_->op->relate) return "operator " + node_->op_type + " has no channel rule";
    if (const Value* carried = carried_input(graph_, *node_)) {
      return "'" + carried->name + "' is " + name_of(carried->constant->dtype()) +
             ", which coppice doesn't look into";
    }
    const auto known_shape = [&](ValueId id) { return id == kNoValue || trace_.inferred.has(id); };
    const auto own_shape = [&](ValueId id) {
      return known_shape(id) && !trace_.inferred.is_reported(id);
    };
    if (!std::all_of(node_->inputs.begin(), node_->inputs.end(), known_shape) ||
        !std::all_of(node_->outputs.begin(), node_->outputs.end(), own_shape)) {
      return "the shape is known only at run time";
    }
    return "";
  }

  bool is_dead() const {
    return std::ranges::none_of(node_->outputs,
                                [&](ValueId id) { return id != kNoValue && live_[id] != 0; });
  }

  // A tag in every index of an axis is the last one: without it the axis would be empty.
  void pin_what_would_empty_an_axis() {
    for (size_t i = 0; i < trace_.values.size(); ++i) {
      for (const Axis& axis : trace_.values[i].axes) {
        if (axis.empty() || axis[0] == kAlways) continue;
        if (axis.size() > 1 && disjoint(axis.front(), axis.back())) continue;
        std::vector<Label> common(trace_.labels.tags(axis[0]).begin(),
                                  trace_.labels.tags(axis[0]).end());
        for (const Label label : axis) {
          const auto tags = trace_.labels.tags(label);
          std::erase_if(common, [&](Label tag) {
            return !std::binary_search(tags.begin(), tags.end(), tag);
          });
          if (common.empty()) break;
        }
        trace_.labels.pin(
            common,
            {PinKind::meaning, "the last index of an axis of '" + graph_.values[i].name + "'", -1});
      }
    }
  }

  bool disjoint(Label a, Label b) {
    const auto tags = trace_.labels.tags(a);
    const std::vector<Label> first(tags.begin(), tags.end());
    return std::ranges::none_of(trace_.labels.tags(b),
                                [&](Label tag) { return std::ranges::binary_search(first, tag); });
  }

  // The constant that a value is, in whatever form, and which of its axes each axis is.
  struct Stored {
    ValueId constant = kNoValue;
    std::vector<int64_t> axes;
  };

  const Graph& graph_;
  Trace& trace_;
  TraceOptions options_;
  std::vector<Stored> stored_;  // by ValueId
  std::vector<char> live_;
  const Node* node_ = nullptr;
  int32_t index_ = -1;
};

}  // namespace

Trace trace(const Graph& graph, Inferred inferred, const TraceOptions& options) {
  Trace result;
  result.inferred = std::move(inferred);
  result.values.resize(graph.values.size());
  Tracer(graph, result, options).run();
  return result;
}

}  // namespace coppice
