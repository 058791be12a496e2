// See rescale_dropout.h. The original and the graph as it is now number their values each in its
// own way (session/session.h), so they meet by names alone.
#include "methods/unstructured/rescale_dropout.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "core/error.h"
#include "graph/is_onnx.h"
#include "graph/value_names.h"
#include "graph/views/constants_behind.h"

namespace coppice {
namespace {

// The weights of layers, past activations.
class LayersBefore {
 public:
  explicit LayersBefore(const Graph& graph)
      : graph_(graph), behind_(constants_behind(graph)), producer_(producers(graph)) {}

  // Of the layer that gives `id`.
  ValueId weight_before(ValueId id) const {
    while (id != kNoValue && producer_[id] >= 0) {
      const Node& node = graph_.nodes[producer_[id]];
      for (const ValueId input : node.inputs) {
        const ValueId weight = input == kNoValue ? kNoValue : behind_[input];
        if (weight != kNoValue && graph_.value(weight).constant->rank() >= 2) return weight;
      }
      id = node.inputs.empty() ? kNoValue : node.inputs[0];
    }
    return kNoValue;
  }

 private:
  const Graph& graph_;
  std::vector<ValueId> behind_;
  std::vector<int32_t> producer_;
};

double connections(const Graph& graph, ValueId weight) {
  const std::span<const float> weights = graph.value(weight).constant->as<float>();
  return static_cast<double>(weights.size()) -
         static_cast<double>(std::ranges::count(weights, 0.0f));
}

ValueId weight_named(const Graph& graph, const ValueNames& names, const std::string& name) {
  const std::optional<ValueId> id = names.find(name);
  COPPICE_CHECK(id && graph.value(*id).constant, "the trained model has lost '" + name + "'");
  return *id;
}

bool has_ratio_input(const Node& dropout) {
  return dropout.inputs.size() > 1 && dropout.inputs[1] != kNoValue;
}

// Every Dropout of the graph, with the original's that gives the value of the same name.
template <typename Visit>
void for_each_dropout(Graph& graph, const Graph& original, const Visit& visit) {
  std::map<std::string, const Node*> before;
  for (const Node& node : original.nodes) {
    if (is_onnx(node, "Dropout")) before[original.value(node.outputs[0]).name] = &node;
  }
  for (Node& node : graph.nodes) {
    if (!is_onnx(node, "Dropout")) continue;
    const std::string& name = graph.value(node.outputs[0]).name;
    const auto found = before.find(name);
    COPPICE_CHECK(found != before.end(), "the original has no Dropout '" + name + "'");
    visit(node, *found->second);
  }
}

// A constant of the original, which a graph that was saved may have lost: nobody read it then.
ValueId there_again(Graph& graph, ValueNames& names, const Value& constant) {
  const std::optional<ValueId> id = names.find(constant.name);
  if (!id) {
    const ValueId added = add_constant(graph, constant.name, *constant.constant);
    names.set(constant.name, added);
    return added;
  }
  graph.value(*id).constant = constant.constant;
  graph.value(*id).dtype = constant.dtype;
  return *id;
}

}  // namespace

void rescale_dropout(Graph& graph, const Graph& original) {
  const LayersBefore layers(original);
  ValueNames names(graph);
  for_each_dropout(graph, original, [&](Node& node, const Node& before) {
    const ValueId weight = layers.weight_before(before.inputs[0]);
    if (weight == kNoValue || original.value(weight).constant->dtype() != DType::f32) return;
    const double before_pruning = std::max(1.0, connections(original, weight));
    const ValueId now = weight_named(graph, names, original.value(weight).name);
    const double factor = std::sqrt(connections(graph, now) / before_pruning);
    if (!has_ratio_input(before)) {
      const double ratio = before.attributes.real("ratio", 0.5f);
      node.attributes.set("ratio", static_cast<float>(ratio * factor));
      return;
    }
    const Value& usual = original.value(before.inputs[1]);
    if (!usual.constant || usual.constant->dtype() != DType::f32) return;
    Tensor scaled = Tensor::scalar(static_cast<float>(usual.constant->as<float>()[0] * factor));
    if (graph.value(node.inputs[1]).name == usual.name) {
      node.inputs[1] = add_constant(graph, names.unused("dropout_ratio"), std::move(scaled));
    } else {
      graph.value(node.inputs[1]).constant = std::move(scaled);  // its own, of an earlier round
    }
  });
}

void restore_dropout(Graph& graph, const Graph& original) {
  ValueNames names(graph);
  for_each_dropout(graph, original, [&](Node& node, const Node& before) {
    if (!has_ratio_input(before)) {
      node.attributes = before.attributes;
      return;
    }
    const Value& usual = original.value(before.inputs[1]);
    if (graph.value(node.inputs[1]).name == usual.name) return;
    graph.value(node.inputs[1]).constant.reset();  // nobody else reads it
    node.inputs[1] = there_again(graph, names, usual);
  });
}

int64_t count_dropouts(const Graph& graph) {
  return std::ranges::count_if(graph.nodes, [&](const Node& node) {
    if (!is_onnx(node, "Dropout")) return false;
    if (!has_ratio_input(node)) return node.attributes.real("ratio", 0.5f) > 0;
    const auto& ratio = graph.value(node.inputs[1]).constant;
    return !ratio || ratio->dtype() != DType::f32 || ratio->as<float>()[0] > 0;
  });
}

}  // namespace coppice
