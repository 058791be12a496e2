#include "onnx/functions.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/error.h"
#include "onnx/convert.h"
#include "onnx/onnx.h"
#include "onnx/wire.h"

namespace coppice {
namespace {

constexpr int kMostDepth = 64;

int64_t opset_of(const google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto>& imports) {
  int64_t version = 0;
  for (const auto& import : imports) {
    if (import.domain().empty() || import.domain() == "ai.onnx") version = import.version();
  }
  return version;
}

using Names = std::map<std::string, std::string>;  // of the body -> in the graph

// Names within subgraphs, too, where they come from outside.
void rename(onnx::NodeProto& node, const Names& names);

void rename(onnx::GraphProto& graph, Names names) {
  for (const auto& info : graph.input()) names.erase(info.name());
  for (const auto& tensor : graph.initializer()) names.erase(tensor.name());
  for (const auto& node : graph.node()) {
    for (const std::string& output : node.output()) names.erase(output);
  }
  for (auto& node : *graph.mutable_node()) rename(node, names);
  for (auto& info : *graph.mutable_output()) {
    if (const auto found = names.find(info.name()); found != names.end()) {
      info.set_name(found->second);
    }
  }
}

void rename(onnx::NodeProto& node, const Names& names) {
  for (auto* list : {node.mutable_input(), node.mutable_output()}) {
    for (std::string& name : *list) {
      if (const auto found = names.find(name); found != names.end()) name = found->second;
    }
  }
  for (auto& attribute : *node.mutable_attribute()) {
    if (attribute.has_g()) rename(*attribute.mutable_g(), names);
    for (auto& graph : *attribute.mutable_graphs()) rename(graph, names);
  }
}

constexpr int kFunctionDefaults = 11;  // AttributeProtos; younger than the messages we parse by

std::vector<onnx::AttributeProto> defaults_of(const onnx::FunctionProto& function) {
  std::vector<onnx::AttributeProto> defaults;
  const std::string bytes = bytes_of(function);
  for_each_field(std::as_bytes(std::span(bytes)), [&](const WireField& field) {
    if (field.number != kFunctionDefaults || !field.delimited) return;
    const auto* data = reinterpret_cast<const char*>(field.payload.data());
    onnx::AttributeProto value;
    if (value.ParsePartialFromString({data, field.payload.size()})) {
      defaults.push_back(std::move(value));
    }
  });
  return defaults;
}

// What an attribute that refers to one of the call's is given; nothing where it is left out.
std::optional<onnx::AttributeProto> given(const onnx::AttributeProto& attribute,
                                          const onnx::NodeProto& call,
                                          const std::vector<onnx::AttributeProto>& usual) {
  const auto named = [&](const auto& list) -> const onnx::AttributeProto* {
    for (const auto& own : list) {
      if (own.name() == attribute.ref_attr_name()) return &own;
    }
    return nullptr;
  };
  const onnx::AttributeProto* found = named(call.attribute());
  if (!found) found = named(usual);
  if (!found) return std::nullopt;
  onnx::AttributeProto value = *found;
  value.set_name(attribute.name());
  return value;
}

void bind_attributes(onnx::NodeProto& node, const onnx::NodeProto& call,
                     const std::vector<onnx::AttributeProto>& usual) {
  google::protobuf::RepeatedPtrField<onnx::AttributeProto> bound;
  for (auto& attribute : *node.mutable_attribute()) {
    if (attribute.ref_attr_name().empty()) {
      *bound.Add() = attribute;
    } else if (auto value = given(attribute, call, usual)) {
      *bound.Add() = std::move(*value);
    }
  }
  node.mutable_attribute()->Swap(&bound);
}

// A prefix of inner names that no other call has: names of outputs are unique.
std::string prefix_of(const onnx::NodeProto& call) {
  for (const std::string& output : call.output()) {
    if (!output.empty()) return output + "/";
  }
  return call.name() + "/";
}

}  // namespace

Functions::Functions(const onnx::ModelProto& model)
    : model_(model), opset_(opset_of(model.opset_import())) {}

const onnx::FunctionProto* Functions::find(const onnx::NodeProto& node) const {
  for (const auto& function : model_.functions()) {
    if (function.name() == node.op_type() && function.domain() == node.domain()) return &function;
  }
  return nullptr;
}

bool Functions::are_called_by(const onnx::NodeProto& node) const {
  const onnx::FunctionProto* function = find(node);
  if (!function || node.input_size() > function->input_size()) return false;
  const int64_t opset = opset_of(function->opset_import());
  return opset == 0 || opset == opset_;  // its operators mean what the model's do
}

void Functions::expand(const onnx::NodeProto& call, int depth,
                       std::vector<onnx::NodeProto>& nodes) const {
  const onnx::FunctionProto& function = *find(call);
  if (depth > kMostDepth) {
    fail_input("function '" + function.name() + "' calls itself; expected functions that don't");
  }
  Names names;
  for (const auto& node : function.node()) {
    for (const std::string& output : node.output()) {
      if (!output.empty()) names[output] = prefix_of(call) + output;
    }
  }
  for (int i = 0; i < function.input_size(); ++i) {
    names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
  }
  for (int o = 0; o < function.output_size() && o < call.output_size(); ++o) {
    if (!call.output(o).empty()) names[function.output(o)] = call.output(o);
  }
  const std::vector<onnx::AttributeProto> usual = defaults_of(function);
  for (const auto& inner : function.node()) {
    onnx::NodeProto node = inner;
    bind_attributes(node, call, usual);
    rename(node, names);
    if (!node.name().empty()) node.set_name(prefix_of(call) + node.name());
    if (are_called_by(node)) {
      expand(node, depth + 1, nodes);
    } else {
      nodes.push_back(std::move(node));
    }
  }
}

std::vector<onnx::NodeProto> Functions::body_of(const onnx::NodeProto& call) const {
  std::vector<onnx::NodeProto> nodes;
  expand(call, 0, nodes);
  return nodes;
}

namespace {

bool same_node(const Node& a, const Node& b) {
  return a.op_type == b.op_type && a.domain == b.domain && a.inputs == b.inputs &&
         a.outputs == b.outputs && a.attributes.entries() == b.attributes.entries();
}

class Restorer {
 public:
  explicit Restorer(const Graph& graph) : graph_(graph), producer_(producers(graph)) {
    const auto readers = consumers(graph);
    read_by_.assign(readers.begin(), readers.end());
    for (const ValueId id : graph.outputs) read_by_[id].push_back(-1);
  }

  std::vector<Node> run() {
    std::vector<const Node*> instead(graph_.nodes.size(), nullptr);  // of a body's last node
    std::vector<char> within(graph_.nodes.size(), 0);
    for (const FunctionCall& call : graph_.calls) {
      const auto nodes = nodes_of(call);
      if (!nodes) continue;
      for (const int32_t n : *nodes) within[n] = 1;
      instead[*std::ranges::max_element(*nodes)] = &call.call;
    }
    std::vector<Node> result;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (instead[n]) result.push_back(*instead[n]);
      if (!within[n]) result.push_back(graph_.nodes[n]);
    }
    return result;
  }

 private:
  // Where the body's nodes stand; nothing where it isn't what it was.
  std::optional<std::vector<int32_t>> nodes_of(const FunctionCall& call) const {
    for (const auto& [id, tensor] : call.constants) {
      const auto& constant = graph_.value(id).constant;
      if (!constant || !(*constant == tensor)) return std::nullopt;
    }
    std::vector<int32_t> nodes;
    for (const Node& node : call.body) {
      const int32_t n = node.outputs.empty() ? -1 : producer_[node.outputs[0]];
      if (n < 0 || !same_node(graph_.nodes[n], node)) return std::nullopt;
      nodes.push_back(n);
    }
    for (const Node& node : call.body) {
      for (const ValueId id : node.outputs) {
        if (id != kNoValue && !is_inner(call, nodes, id)) return std::nullopt;
      }
    }
    return nodes;
  }

  // Read by the body alone, unless the call gives it.
  bool is_inner(const FunctionCall& call, const std::vector<int32_t>& nodes, ValueId id) const {
    if (std::ranges::find(call.call.outputs, id) != call.call.outputs.end()) return true;
    return std::ranges::all_of(
        read_by_[id], [&](int32_t n) { return std::ranges::find(nodes, n) != nodes.end(); });
  }

  const Graph& graph_;
  std::vector<int32_t> producer_;
  std::vector<std::vector<int32_t>> read_by_;
};

}  // namespace

std::vector<Node> with_calls(const Graph& graph) {
  if (graph.calls.empty()) return graph.nodes;
  Graph called;
  called.values = graph.values;
  called.nodes = Restorer(graph).run();
  sort_nodes(called);
  return std::move(called.nodes);
}

namespace {

using FunctionNames = std::set<std::pair<std::string, std::string>>;  // domain, name

void add_called(const onnx::NodeProto& node, FunctionNames& called);

void add_called(const onnx::GraphProto& graph, FunctionNames& called) {
  for (const auto& node : graph.node()) add_called(node, called);
}

void add_called(const onnx::NodeProto& node, FunctionNames& called) {
  called.emplace(node.domain(), node.op_type());
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) add_called(attribute.g(), called);
    for (const auto& graph : attribute.graphs()) add_called(graph, called);
  }
}

// What these nodes and their subgraphs call, and what is called from there.
FunctionNames called_functions(const onnx::ModelProto& model, const std::vector<Node>& nodes) {
  FunctionNames called;
  for (const Node& node : nodes) {
    called.emplace(node.domain, node.op_type);
    onnx::NodeProto carried;
    COPPICE_CHECK(carried.ParsePartialFromString(node.foreign), "a carried node is damaged");
    add_called(carried, called);
  }
  for (size_t before = 0; before != called.size();) {
    before = called.size();
    for (const auto& function : model.functions()) {
      if (!called.contains({function.domain(), function.name()})) continue;
      for (const auto& node : function.node()) add_called(node, called);
    }
  }
  return called;
}

}  // namespace

int64_t inline_functions(Graph& graph) {
  const auto calls = static_cast<int64_t>(graph.calls.size());
  if (calls == 0) return 0;
  graph.calls.clear();
  onnx::ModelProto model;
  COPPICE_CHECK(model.ParsePartialFromString(graph.foreign.model), "a carried model is damaged");
  const FunctionNames called = called_functions(model, graph.nodes);
  google::protobuf::RepeatedPtrField<onnx::FunctionProto> left;
  for (auto& function : *model.mutable_functions()) {
    if (called.contains({function.domain(), function.name()})) left.Add()->Swap(&function);
  }
  model.mutable_functions()->Swap(&left);
  graph.foreign.model = bytes_of(model);
  return calls;
}

}  // namespace coppice
