// The graph of a model: values, and nodes that compute them, in topological order.
//
// Ownership: a Graph owns its values and nodes; ValueId is an index into `values` and stays valid
// for the graph's lifetime (values that nobody uses any more just lie there). Copying a Graph
// shares the bytes of its tensors, so keeping the original beside a cut copy is cheap.
//
// Invariants (checked by `verify`): every value is computed by at most one node; a node's inputs
// are graph inputs, constants or outputs of earlier nodes; names of used values are unique.
//
// What a file holds beyond this model (functions, subgraphs, documentation, unknown attributes) is
// carried as `Foreign` bytes, which only the `onnx` module looks into.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "graph/attributes.h"

namespace coppice {

struct OpDef;

using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;  // an optional input or output that is left out

// One declared size: a number, or a symbol ("N") that is bound at run time.
struct Dim {
  int64_t size = -1;
  std::string symbol;
  bool fixed() const { return size >= 0; }
  friend bool operator==(const Dim&, const Dim&) = default;
};
using Dims = std::vector<Dim>;

struct Value {
  std::string name;
  DType dtype = DType::undefined;
  std::optional<Dims> declared;    // as the file declares it; inference finds the rest
  std::optional<Tensor> constant;  // an initialiser, or the tensor of a Constant node
  ValueId copy_of = kNoValue;      // the constant that this was copied from for one of its uses
  // What the file holds it as, where the model is in half precision (passes/halves.h).
  DType stored = DType::undefined;
};

struct Node {
  std::string name;
  std::string domain;  // "" is ONNX's own
  std::string op_type;
  const OpDef* op = nullptr;  // null: an operator that Coppice doesn't know
  std::vector<ValueId> inputs, outputs;
  Attributes attributes;
  std::vector<ValueId> captures;  // outer values that its subgraphs read
  std::string foreign;            // NodeProto of all that isn't modelled here
};

struct Foreign {
  enum class Storage { inside, beside };
  Storage storage = Storage::inside;  // where the file kept the data of its larger tensors
  std::string model;  // ModelProto without nodes, initialisers, inputs, outputs and value_info
  std::vector<ValueId> initialisers, listed_inputs, value_infos;  // the file's order
  std::unordered_map<ValueId, std::string> infos;                 // ValueInfoProto
  std::unordered_map<ValueId, std::string> tensors;               // TensorProto without its data
};

// A constant that the file computes from others (a kernel from its direction and length): what it
// comes to, and the nodes that say so in the file (passes/fold_weights.h).
struct FoldedWeight {
  ValueId value = kNoValue;
  Tensor found;
  std::vector<Node> nodes;
};

// A call of one of the file's own functions, whose nodes stand in its place (onnx/functions.h).
struct FunctionCall {
  Node call;
  std::vector<Node> body;
  std::vector<std::pair<ValueId, Tensor>> constants;  // of the body
};

struct Graph {
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;  // fed at run time
  std::vector<ValueId> outputs;
  int64_t opset = 13;
  std::string name = "coppice";
  std::vector<std::pair<std::string, std::string>> metadata;
  Foreign foreign;
  std::vector<FoldedWeight> folded;
  std::vector<FunctionCall> calls;

  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
};

// A name for messages: the node's own, else the name of its first output.
std::string label_of(const Graph& graph, const Node& node);
// "node 'layer1.conv2' (Conv)": the beginning of every message about a node.
std::string where(const Graph& graph, const Node& node);

ValueId add_value(Graph& graph, std::string name, DType dtype = DType::undefined);
ValueId add_constant(Graph& graph, std::string name, Tensor tensor);
// Appends a node; its operator is looked up by type and domain.
Node& add_node(Graph& graph, std::string op_type, std::vector<ValueId> inputs,
               std::vector<ValueId> outputs, Attributes attributes = {}, std::string name = "");
// A name that no value has yet: `stem`, or `stem_1`, `stem_2`, ...
std::string unused_name(const Graph& graph, const std::string& stem);
std::optional<ValueId> find_value(const Graph& graph, const std::string& name);

std::string metadata(const Graph& graph, const std::string& key);  // "" where there is none
void set_metadata(Graph& graph, const std::string& key, const std::string& value);

// For each value the node that computes it, -1 for none.
std::vector<int32_t> producers(const Graph& graph);
// For each value the nodes that read it (or capture it), in order, once per use.
std::vector<std::vector<int32_t>> consumers(const Graph& graph);

// Brings nodes into topological order (stable). Throws Error::input for a cycle, or for a name that
// is read but that nothing gives.
void sort_nodes(Graph& graph);
// Throws Error::input naming the first invariant that doesn't hold.
void verify(const Graph& graph);

// Drops nodes whose outputs nobody reads, and forgets constants nobody reads.
void remove_dead(Graph& graph);
// By ValueId: whether one of the graph's outputs depends on it.
std::vector<char> live_values(const Graph& graph);
// Gives up outputs, beyond a node's first, that nobody reads, of operators that have a fixed number
// of them: masks of Dropout, positions of MaxPool, states of LSTM. For a graph that is run: some
// of them ONNX requires in a file.
void leave_out_unread_outputs(Graph& graph);

}  // namespace coppice
