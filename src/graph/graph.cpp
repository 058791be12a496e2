#include "graph/graph.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "core/error.h"
#include "graph/op.h"

namespace coppice {
namespace {

// Calls `visit(value)` for every value that the node reads, subgraph captures included.
template <typename Visit>
void for_each_read(const Node& node, Visit visit) {
  for (const ValueId id : node.inputs) {
    if (id != kNoValue) visit(id);
  }
  for (const ValueId id : node.captures) visit(id);
}

std::string quoted(const Graph& graph, ValueId id) { return "'" + graph.value(id).name + "'"; }

}  // namespace

std::string label_of(const Graph& graph, const Node& node) {
  if (!node.name.empty()) return node.name;
  for (const ValueId id : node.outputs) {
    if (id != kNoValue) return graph.value(id).name;
  }
  return node.op_type;
}

std::string where(const Graph& graph, const Node& node) {
  return "node '" + label_of(graph, node) + "' (" + node.op_type + ")";
}

ValueId add_value(Graph& graph, std::string name, DType dtype) {
  Value value;
  value.name = std::move(name);
  value.dtype = dtype;
  graph.values.push_back(std::move(value));
  return static_cast<ValueId>(graph.values.size()) - 1;
}

ValueId add_constant(Graph& graph, std::string name, Tensor tensor) {
  const ValueId id = add_value(graph, std::move(name), tensor.dtype());
  graph.value(id).constant = std::move(tensor);
  return id;
}

Node& add_node(Graph& graph, std::string op_type, std::vector<ValueId> inputs,
               std::vector<ValueId> outputs, Attributes attributes, std::string name) {
  Node node;
  node.name = std::move(name);
  node.op = find_operator("", op_type);
  node.op_type = std::move(op_type);
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.attributes = std::move(attributes);
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back();
}

std::optional<ValueId> find_value(const Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].name == name) return static_cast<ValueId>(i);
  }
  return std::nullopt;
}

std::string unused_name(const Graph& graph, const std::string& stem) {
  std::string name = stem;
  for (int i = 1; find_value(graph, name); ++i) name = stem + "_" + std::to_string(i);
  return name;
}

std::string metadata(const Graph& graph, const std::string& key) {
  for (const auto& [name, value] : graph.metadata) {
    if (name == key) return value;
  }
  return "";
}

void set_metadata(Graph& graph, const std::string& key, const std::string& value) {
  for (auto& entry : graph.metadata) {
    if (entry.first == key) {
      entry.second = value;
      return;
    }
  }
  graph.metadata.emplace_back(key, value);
}

std::vector<int32_t> producers(const Graph& graph) {
  std::vector<int32_t> producer(graph.values.size(), -1);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ValueId id : graph.nodes[n].outputs) {
      if (id != kNoValue) producer[id] = static_cast<int32_t>(n);
    }
  }
  return producer;
}

std::vector<std::vector<int32_t>> consumers(const Graph& graph) {
  std::vector<std::vector<int32_t>> readers(graph.values.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for_each_read(graph.nodes[n],
                  [&](ValueId id) { readers[id].push_back(static_cast<int32_t>(n)); });
  }
  return readers;
}

void sort_nodes(Graph& graph) {
  const std::vector<int32_t> producer = producers(graph);
  const std::vector<std::vector<int32_t>> readers = consumers(graph);
  std::vector<int32_t> missing(graph.nodes.size(), 0);
  std::set<int32_t> ready;  // by index, so that an already sorted graph keeps its order
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for_each_read(graph.nodes[n], [&](ValueId id) { missing[n] += producer[id] >= 0; });
    if (missing[n] == 0) ready.insert(static_cast<int32_t>(n));
  }
  std::vector<Node> sorted;
  sorted.reserve(graph.nodes.size());
  std::vector<char> done(graph.nodes.size(), 0);
  while (!ready.empty()) {
    const int32_t n = *ready.begin();
    ready.erase(ready.begin());
    done[n] = 1;
    for (const ValueId id : graph.nodes[n].outputs) {
      if (id == kNoValue) continue;
      for (const int32_t reader : readers[id]) {
        if (--missing[reader] == 0) ready.insert(reader);
      }
    }
    sorted.push_back(graph.nodes[n]);
  }
  if (sorted.size() != graph.nodes.size()) {
    const auto stuck = std::find(done.begin(), done.end(), 0) - done.begin();
    fail_input(where(graph, graph.nodes[stuck]) +
               ": the graph has a cycle through it; expected a graph without cycles");
  }
  graph.nodes = std::move(sorted);
}

void verify(const Graph& graph) {
  std::vector<char> given(graph.values.size(), 0);
  for (const ValueId id : graph.inputs) given[id] = 1;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant) given[i] = 1;
  }
  std::vector<char> computed(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for_each_read(node, [&](ValueId id) {
      if (!given[id]) {
        fail_input(where(graph, node) + ": reads " + quoted(graph, id) +
                   ", which is neither an input, an initialiser nor the output of a node; the "
                   "file is damaged or was cut short by another tool");
      }
    });
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      if (computed[id]) {
        fail_input(where(graph, node) + ": " + quoted(graph, id) +
                   " is given twice; expected one node for each value");
      }
      computed[id] = given[id] = 1;
    }
  }
  for (const ValueId id : graph.outputs) {
    if (!given[id]) {
      fail_input("output " + quoted(graph, id) + ": no node computes it; the file is damaged");
    }
  }
}

std::vector<char> live_values(const Graph& graph) {
  std::vector<char> live(graph.values.size(), 0);
  for (const ValueId id : graph.outputs) live[id] = 1;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool read = std::ranges::any_of(
        node->outputs, [&](ValueId id) { return id != kNoValue && live[id] != 0; });
    if (read) for_each_read(*node, [&](ValueId id) { live[id] = 1; });
  }
  return live;
}

void remove_dead(Graph& graph) {
  std::vector<char> needed(graph.values.size(), 0);
  for (const ValueId id : graph.outputs) needed[id] = 1;
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool live = std::any_of(node->outputs.begin(), node->outputs.end(),
                                  [&](ValueId id) { return id != kNoValue && needed[id]; });
    if (!live) continue;
    for_each_read(*node, [&](ValueId id) { needed[id] = 1; });
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  for (const FoldedWeight& weight : graph.folded) {
    for (const Node& node : weight.nodes) {
      for_each_read(node, [&](ValueId id) { needed[id] = 1; });
    }
  }
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!needed[i]) graph.values[i].constant.reset();
  }
}

void leave_out_unread_outputs(Graph& graph) {
  std::vector<char> read(graph.values.size(), 0);
  for (const ValueId id : graph.outputs) read[id] = 1;
  for (const Node& node : graph.nodes) {
    for_each_read(node, [&](ValueId id) { read[id] = 1; });
  }
  for (Node& node : graph.nodes) {
    if (!node.op || node.op->arity.max_outputs < 0) continue;
    for (size_t o = 1; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNoValue && !read[node.outputs[o]]) node.outputs[o] = kNoValue;
    }
  }
}

}  // namespace coppice
