// Nodes run in order; a value is freed after its last reader unless it is asked for.

#include "runtime/reference.h"

#include <optional>

#include "core/error.h"
#include "graph/op.h"

namespace coppice {
namespace {

class Run {
 public:
  Run(const Graph& graph, std::span<const Tensor> inputs)
      : graph_(graph),
        inferred_(infer(graph, sizes_of(graph, inputs))),
        values_(graph.values.size()),
        readers_(graph.values.size(), 0) {
    for (size_t i = 0; i < inputs.size(); ++i) values_[graph.inputs[i]] = inputs[i];
    for (const Node& node : graph.nodes) {
      for (const ValueId id : node.inputs) {
        if (id != kNoValue) ++readers_[id];
      }
    }
  }

  void keep(ValueId id) { ++readers_[id]; }

  void run(const Node& node) {
    if (!copy_known(node)) {
      std::vector<const Tensor*> inputs;
      for (const ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : &at(id));
      std::vector<Tensor> outputs = evaluate_node(graph_, asked(node), inputs);
      for (size_t o = 0; o < node.outputs.size() && o < outputs.size(); ++o) {
        if (node.outputs[o] != kNoValue) values_[node.outputs[o]] = std::move(outputs[o]);
      }
    }
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && --readers_[id] == 0) values_[id].reset();
    }
  }

  const Tensor& at(ValueId id) const {
    if (values_[id]) return *values_[id];
    const Tensor* known = known_value(graph_, inferred_, id);
    if (!known) fail_input("value '" + graph_.value(id).name + "' is given by no node");
    return *known;
  }

 private:
  // Without outputs, beyond the first, that nobody reads.
  Node asked(Node node) const {
    for (size_t o = 1; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNoValue && readers_[node.outputs[o]] == 0) node.outputs[o] = kNoValue;
    }
    return node;
  }

  // Values such as a Shape node's are known from the shapes alone.
  bool copy_known(const Node& node) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && !known_value(graph_, inferred_, id)) return false;
    }
    return true;
  }

  const Graph& graph_;
  Inferred inferred_;
  std::vector<std::optional<Tensor>> values_;
  std::vector<int> readers_;
};

// What nobody reads needn't be such that it can be run.
Graph without_dead(Graph graph, std::span<const ValueId> watch) {
  const std::vector<ValueId> outputs = graph.outputs;
  graph.outputs.insert(graph.outputs.end(), watch.begin(), watch.end());
  remove_dead(graph);
  graph.outputs = outputs;
  return graph;
}

bool fits(const Value& value, const Tensor& given) {
  if (value.dtype != DType::undefined && value.dtype != given.dtype()) return false;
  if (!value.declared) return true;
  if (value.declared->size() != given.shape().size()) return false;
  for (size_t axis = 0; axis < given.shape().size(); ++axis) {
    const Dim& dim = (*value.declared)[axis];
    if (dim.fixed() && dim.size != given.shape()[axis]) return false;
  }
  return true;
}

// "float32 Nx3x32x32"
std::string declaration_of(const Value& value) {
  if (!value.declared) return name_of(value.dtype) + " of any shape";
  std::string text;
  for (const Dim& dim : *value.declared) {
    text += (text.empty() ? "" : "x");
    text += dim.fixed() ? std::to_string(dim.size) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  return name_of(value.dtype) + " " + (text.empty() ? "scalar" : text);
}

}  // namespace

void require_declared(const Value& input, const Tensor& given) {
  if (fits(input, given)) return;
  fail_input("input '" + input.name + "' is given as " + name_of(given.dtype()) + " " +
             to_string(given.shape()) + ", expected " + declaration_of(input));
}

InputSizes sizes_of(const Graph& graph, std::span<const Tensor> inputs) {
  if (inputs.size() != graph.inputs.size()) {
    fail_input("the model has " + std::to_string(graph.inputs.size()) + " inputs, given are " +
               std::to_string(inputs.size()));
  }
  InputSizes sizes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value& value = graph.value(graph.inputs[i]);
    require_declared(value, inputs[i]);
    sizes.inputs[value.name] = inputs[i].shape();
  }
  return sizes;
}

std::vector<Tensor> run_reference(const Graph& whole, std::span<const Tensor> inputs,
                                  std::span<const ValueId> watch) {
  const Graph graph = without_dead(whole, watch);
  Run run(graph, inputs);
  for (const ValueId id : graph.outputs) run.keep(id);
  for (const ValueId id : watch) run.keep(id);
  for (const Node& node : graph.nodes) run.run(node);
  std::vector<Tensor> results;
  for (const ValueId id : graph.outputs) results.push_back(run.at(id));
  for (const ValueId id : watch) results.push_back(run.at(id));
  return results;
}

}  // namespace coppice
