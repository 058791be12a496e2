#include "graph/passes/select_channels.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "graph/fitted.h"
#include "graph/is_onnx.h"
#include "graph/op.h"
#include "graph/passes/driver.h"
#include "graph/value_names.h"
#include "graph/views/batch_norm.h"
#include "graph/views/linear_layer.h"

namespace coppice {

extern const OpDef kSelection;  // ops/gather.cpp

namespace {

// Hands every channel of its one computed input on, each for itself.
bool is_channelwise(const Node& node) { return node.op && node.op->reach != Reach::anywhere; }

// A layer that can lose output channels, or had them separated from the stream already.
bool is_owner(const Node& node) { return linear_layer_of(node) || is_batch_norm(node); }

class Streams {
 public:
  explicit Streams(const Graph& graph)
      : graph_(graph), producer_(producers(graph)), readers_(consumers(graph)) {
    for (const ValueId id : graph.outputs) readers_[id].push_back(-1);
  }

  // Whether the channels of `x` can't leave with a layer of their own.
  bool is_stream(ValueId x) const {
    std::vector<ValueId> open{x};
    while (!open.empty()) {
      const ValueId id = open.back();
      open.pop_back();
      if (producer_[id] < 0) continue;  // the graph's input
      if (is_shared(id)) return true;
      const Node& node = graph_.nodes[producer_[id]];
      if (is_owner(node)) continue;
      const std::vector<ValueId> computed = computed_inputs(node);
      const bool concat = is_onnx(node, "Concat");
      if (!concat && !(is_channelwise(node) && computed.size() == 1)) return true;
      open.insert(open.end(), computed.begin(), computed.end());
    }
    return false;
  }

 private:
  // Shape arithmetic takes no channels.
  bool is_shared(ValueId id) const {
    return std::ranges::count_if(readers_[id], [&](int32_t n) {
             return n < 0 || !reads_only_shape(graph_.nodes[n]);
           }) != 1;
  }

  std::vector<ValueId> computed_inputs(const Node& node) const {
    std::vector<ValueId> computed;
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && !graph_.value(id).constant) computed.push_back(id);
    }
    return computed;
  }

  const Graph& graph_;
  std::vector<int32_t> producer_;
  std::vector<std::vector<int32_t>> readers_;
};

// The channels of a BatchNormalization with constant vectors; 0 for anything else.
int64_t normalised_channels(const Graph& graph, const Node& node) {
  if (!is_batch_norm_at_inference(node) || node.inputs.size() != 5) return 0;
  if (node.inputs[0] == kNoValue || node.outputs.empty() || node.outputs[0] == kNoValue) return 0;
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue || !graph.value(node.inputs[i]).constant) return 0;
  }
  return graph.value(node.inputs[1]).constant->size();
}

// Those of a convolution that sums over all of them with a constant weight; 0 for anything else.
int64_t convolved_channels(const Graph& graph, const Node& node) {
  const auto layer = linear_layer_of(node);
  if (!layer || layer->kind != LinearLayer::Kind::convolution || layer->groups != 1) return 0;
  const auto& weight = graph.value(node.inputs[1]).constant;
  return weight && weight->rank() > 2 ? weight->shape()[1] : 0;
}

Node selection_of(Graph& graph, ValueNames& names, const Node& reader, int64_t channels) {
  std::vector<int64_t> all(channels);
  std::iota(all.begin(), all.end(), 0);
  const std::string stem = graph.value(reader.outputs[0]).name;
  const ValueId indices =
      add_constant(graph, names.unused(stem + "_channels"), Tensor::vector(all));
  const ValueId x = reader.inputs[0];
  const ValueId selected =
      add_value(graph, names.unused(stem + "_selection"), graph.value(x).dtype);
  Node node;
  node.name = graph.value(selected).name;
  node.op_type = "Gather";
  node.op = &kSelection;
  node.inputs = {x, indices};
  node.outputs = {selected};
  node.attributes.set("axis", int64_t{1});
  return node;
}

class Settler {
 public:
  explicit Settler(Graph& graph)
      : graph_(graph),
        inferred_(infer_fitting(graph, {.inputs = {}, .batch = 2}).inferred),
        producer_(producers(graph)),
        readers_(consumers(graph)),
        is_output_(graph.values.size(), 0),
        instead_(graph.values.size()) {
    for (const ValueId id : graph.outputs) is_output_[id] = 1;
    std::iota(instead_.begin(), instead_.end(), 0);
  }

  void run() {
    for (Node& node : graph_.nodes) {
      if (!is_selection(node)) continue;
      node.op = find_operator("", "Gather");
      Node* last = &node;
      if (Node* earlier = gather_before(node)) {
        compose(*earlier, node);
        last = earlier;
      }
      if (selects_everything(*last)) replace(last->outputs[0], last->inputs[0]);
    }
    for (Node& node : graph_.nodes) {
      for (ValueId& id : node.inputs) {
        if (id != kNoValue) id = settled(id);
      }
    }
    remove_dead(graph_);
  }

 private:
  // What stands for the value in the end; every step of the way is then one step.
  ValueId settled(ValueId id) {
    ValueId last = id;
    while (instead_[last] != last) last = instead_[last];
    while (instead_[id] != last) id = std::exchange(instead_[id], last);
    return last;
  }

  std::vector<int64_t> indices_of(const Node& node) const {
    return to_int64s(*graph_.value(node.inputs[1]).constant);
  }

  // A Gather of channels that nobody but the selection reads.
  Node* gather_before(const Node& selection) {
    const ValueId x = selection.inputs[0];
    if (producer_[x] < 0 || readers_[x].size() != 1 || is_output_[x]) return nullptr;
    Node& node = graph_.nodes[producer_[x]];
    if (node.op != find_operator("", "Gather") || node.attributes.integer("axis", 0) != 1) {
      return nullptr;
    }
    const auto& indices = graph_.value(node.inputs[1]).constant;
    if (!indices || indices->rank() != 1) return nullptr;
    const std::vector<int64_t> list = to_int64s(*indices);
    return std::ranges::all_of(list, [](int64_t i) { return i >= 0; }) ? &node : nullptr;
  }

  // The earlier one keeps its names, so that they don't grow from cut to cut.
  void compose(Node& earlier, const Node& selection) {
    const std::vector<int64_t> first = indices_of(earlier);
    std::vector<int64_t> picked;
    for (const int64_t i : indices_of(selection)) picked.push_back(first[i]);
    replace(selection.outputs[0], earlier.outputs[0]);
    if (picked == first) return;
    const std::string stem = graph_.value(earlier.inputs[1]).name;
    if (!names_) names_.emplace(graph_);
    earlier.inputs[1] = add_constant(graph_, names_->unused(stem + "_cut"), Tensor::vector(picked));
    instead_.push_back(earlier.inputs[1]);
  }

  bool selects_everything(const Node& node) const {
    const std::vector<int64_t> indices = indices_of(node);
    if (!inferred_.has(node.inputs[0])) return false;
    for (size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] != static_cast<int64_t>(i)) return false;
    }
    return inferred_.shape(node.inputs[0])[1] == std::ssize(indices);
  }

  void replace(ValueId value, ValueId by) { instead_[value] = by; }

  Graph& graph_;
  std::optional<ValueNames> names_;  // once one is needed
  Inferred inferred_;
  std::vector<int32_t> producer_;
  std::vector<std::vector<int32_t>> readers_;
  std::vector<char> is_output_;
  std::vector<ValueId> instead_;  // by value: what its readers read once all is settled
};

}  // namespace

bool is_selection(const Node& node) { return node.op == &kSelection; }

extern const Pass kAddSelections{"add-selections",
                                 "normalisations of a stream get units of their own"};

void add_selections(Graph& graph, SelectBefore before) {
  run_pass(kAddSelections, graph, [&] {
    const Streams streams(graph);
    std::vector<int64_t> channels;  // by node: of the selection in front of it
    for (const Node& node : graph.nodes) {
      int64_t count = normalised_channels(graph, node);
      if (before == SelectBefore::layers) count += convolved_channels(graph, node);
      channels.push_back(count > 1 && streams.is_stream(node.inputs[0]) ? count : 0);
    }
    ValueNames names(graph);
    std::vector<Node> nodes;
    for (size_t n = 0; n < channels.size(); ++n) {
      Node& node = graph.nodes[n];
      if (channels[n] > 0) {
        nodes.push_back(selection_of(graph, names, node, channels[n]));
        node.inputs[0] = nodes.back().outputs[0];
      }
      nodes.push_back(std::move(node));
    }
    graph.nodes = std::move(nodes);
  });
}

extern const Pass kSettleSelections{"settle-selections",
                                    "what is left of selections becomes Gather nodes, or nothing",
                                    Pass::Needed::yes};

void settle_selections(Graph& graph) {
  run_pass(kSettleSelections, graph, [&] {
    if (std::ranges::any_of(graph.nodes, is_selection)) Settler(graph).run();
  });
}

}  // namespace coppice
