#include "graph/passes/halves.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/numbers/half.h"
#include "graph/op.h"

namespace coppice {
namespace {

// Attributes that name a type by its number in ONNX, of nodes that make values of it.
constexpr std::array kTypes{"to", "dtype"};

DType type_of(const Node& node, const char* name) {
  const AttributeValue* value = node.attributes.find(name);
  const auto* number = value ? std::get_if<int64_t>(value) : nullptr;
  return number ? static_cast<DType>(*number) : DType::undefined;
}

const Tensor* filling_of(const Node& node) {
  const AttributeValue* value = node.attributes.find("value");
  return value ? std::get_if<Tensor>(value) : nullptr;
}

bool has_half(const Graph& graph) {
  const bool value = std::ranges::any_of(graph.values, [](const Value& v) {
    return is_half(v.dtype) || (v.constant && is_half(v.constant->dtype()));
  });
  return value || std::ranges::any_of(graph.nodes, [](const Node& node) {
           const Tensor* filling = filling_of(node);
           return (filling && is_half(filling->dtype())) ||
                  std::ranges::any_of(
                      kTypes, [&](const char* name) { return is_half(type_of(node, name)); });
         });
}

void widen_value(Value& value) {
  if (value.constant) {
    value.stored = value.constant->dtype();
    if (is_half(value.stored)) value.constant = widened(*value.constant);
    value.dtype = value.constant->dtype();
  } else if (is_floating(value.dtype)) {
    value.stored = value.dtype;
    if (is_half(value.stored)) value.dtype = DType::f32;
  }
}

// What the node says of its own output's type; undefined where that is what it reads.
DType widen_attributes(Node& node) {
  DType said = DType::undefined;
  for (const char* name : kTypes) {
    const DType type = type_of(node, name);
    if (type == DType::undefined) continue;
    said = type;
    if (is_half(type)) node.attributes.set(name, static_cast<int64_t>(DType::f32));
  }
  if (const Tensor* filling = filling_of(node)) {
    said = filling->dtype();
    if (is_half(said)) node.attributes.set("value", widened(*filling));
  }
  return said;
}

// Of what it reads as data: half where one of them is.
DType read_by(const Graph& graph, const Node& node) {
  DType found = DType::undefined;
  for (const ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    const DType type = graph.value(id).stored;
    if (is_half(type)) return type;
    if (is_floating(type)) found = type;
  }
  return found;
}

bool gives_floats(const Node& node) { return passes_gradient(node, 0); }

// New constants take the type of the node that reads them.
void adapt_constants(Graph& graph) {
  for (const Node& node : graph.nodes) {
    DType type = read_by(graph, node);
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && is_half(graph.value(id).stored)) type = graph.value(id).stored;
    }
    if (!is_half(type) || type_of(node, "to") != DType::undefined) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || is_setting(node, i)) continue;
      Value& value = graph.value(id);
      const bool made = value.constant && value.stored == DType::undefined &&
                        value.constant->dtype() == DType::f32;
      if (made) value.stored = type;
    }
  }
}

}  // namespace

DType stored_type(const Value& value) {
  return value.stored == DType::undefined ? DType::f32 : value.stored;
}

DType half_type(const Graph& graph) {
  const auto found =
      std::ranges::find_if(graph.values, [](const Value& v) { return is_half(v.stored); });
  return found == graph.values.end() ? DType::undefined : found->stored;
}

bool holds_halves(const Graph& graph) { return half_type(graph) != DType::undefined; }

std::string name_of_halves(const Graph& graph) {
  return holds_halves(graph) ? name_of(half_type(graph)) : "";
}

void widen_halves(Graph& graph) {
  if (!has_half(graph)) return;
  for (Value& value : graph.values) widen_value(value);
  for (Node& node : graph.nodes) {
    DType type = widen_attributes(node);
    if (type == DType::undefined && gives_floats(node)) type = read_by(graph, node);
    for (const ValueId id : node.outputs) {
      if (id != kNoValue && graph.value(id).stored == DType::undefined) {
        graph.value(id).stored = type;
      }
    }
  }
}

void narrow_halves(Graph& graph) {
  if (!holds_halves(graph)) return;
  adapt_constants(graph);
  for (Node& node : graph.nodes) {
    const ValueId output = node.outputs.empty() ? kNoValue : node.outputs[0];
    if (output == kNoValue || !is_half(graph.value(output).stored)) continue;
    const DType type = graph.value(output).stored;
    for (const char* name : kTypes) {
      if (type_of(node, name) != DType::f32) continue;
      node.attributes.set(name, static_cast<int64_t>(type));
    }
    const Tensor* filling = filling_of(node);
    if (filling && filling->dtype() == DType::f32) {
      node.attributes.set("value", narrowed(*filling, type));
    }
  }
  for (Value& value : graph.values) {
    if (is_half(value.stored)) {
      if (value.constant) value.constant = narrowed(*value.constant, value.stored);
      if (value.dtype == DType::f32) value.dtype = value.stored;
    }
    value.stored = DType::undefined;
  }
}

void note_halves(Graph& graph, const Graph& original) {
  std::unordered_map<std::string, DType> stored;
  for (const Value& value : original.values) {
    if (value.stored != DType::undefined) stored.emplace(value.name, value.stored);
  }
  if (stored.empty()) return;
  for (Value& value : graph.values) {
    const auto found = stored.find(value.name);
    if (found != stored.end()) value.stored = found->second;
  }
}

}  // namespace coppice
