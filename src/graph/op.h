// One operator, one place: an OpDef says all that the light half needs to know of an operator.
//
//   infer     output types and shapes from input types and shapes
//   relate    which channels go together (graph/relations.h)
//   macs      multiply-accumulates for given shapes; Conv, Gemm and MatMul count
//   repair    what must be rewritten when channels left: attributes, and inputs that hold sizes
//   evaluate  the outputs themselves, for cheap operators; shape arithmetic is folded with it
//
// An operator is one file under graph/ops and one line in graph/ops/table.cpp. Where `relate` is
// missing, everything the operator touches is pinned, with that as the reason.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/relations.h"

namespace coppice {

struct TensorType {
  DType dtype = DType::undefined;
  Shape shape;
};

// Inputs of one node while shapes are inferred. Shapes of all present inputs are known.
class InferContext {
 public:
  virtual ~InferContext() = default;
  virtual const Graph& graph() const = 0;
  virtual const Node& node() const = 0;
  bool has(int input) const;
  virtual const TensorType& type(int input) const = 0;
  const Shape& shape(int input) const { return type(input).shape; }
  int64_t rank(int input) const { return static_cast<int64_t>(shape(input).size()); }
  // The value of an input that is constant or was folded; null otherwise.
  virtual const Tensor* known(int input) const = 0;
  virtual void set(int output, DType dtype, Shape shape) = 0;
  virtual void set_known(int output, Tensor value) = 0;
  // An input whose value decides the shape but isn't known: the outputs stay unknown.
  virtual void give_up() = 0;

  // Throws Error::input: "node 'x' (Conv): message".
  [[noreturn]] void fail(const std::string& message) const;
  // Integers of a known input; gives up and returns nothing where it isn't known.
  std::optional<std::vector<int64_t>> integers(int input);
};

class RepairContext {
 public:
  virtual ~RepairContext() = default;
  virtual const Node& node() const = 0;
  virtual const Graph& graph() const = 0;
  bool has_input(int input) const;
  virtual const Shape& old_input(int input) const = 0;
  virtual const Shape& old_output(int output) const = 0;
  virtual const Shape& new_input(int input) const = 0;
  virtual const Shape& new_output(int output) const = 0;
  // For each old index of the axis whether it stays.
  virtual std::vector<bool> input_alive(int input, int64_t axis) const = 0;
  virtual std::vector<bool> output_alive(int output, int64_t axis) const = 0;
  // The old value of an input, and what it evaluates to at the new sizes; null where not known.
  virtual const Tensor* known(int input) const = 0;
  virtual const Tensor* now(int input) const = 0;
  virtual void set_attribute(const std::string& name, AttributeValue value) = 0;
  virtual void erase_attribute(const std::string& name) = 0;
  // Input `input` must evaluate to these integers at the new sizes; rewritten only where it
  // doesn't, added where the node has no such input.
  virtual void want(int input, const std::vector<int64_t>& values) = 0;
  // The same for a constant table of any rank.
  virtual void want_table(int input, const std::vector<int64_t>& values, Shape shape) = 0;
  // Input `input` of a Reshape-like operator must give this shape; -1 and 0 are accepted where they
  // resolve to it.
  virtual void want_shape(int input, const Shape& shape) = 0;
  // The node becomes a Gather of these indices of its first input.
  virtual void become_gather(int64_t axis, const std::vector<int64_t>& indices) = 0;
  // Same rank everywhere, nothing changed: the operator needn't look closer.
  bool unchanged() const;
};

struct Arity {
  int min_inputs, max_inputs;  // max -1: any number
  int min_outputs = 1, max_outputs = 1;
};

struct OpDef {
  const char* type;
  Arity arity;
  void (*infer)(InferContext&) = nullptr;
  void (*relate)(Relations&) = nullptr;
  int64_t (*macs)(const Node&, std::span<const Shape> inputs,
                  std::span<const Shape> outputs) = nullptr;
  void (*repair)(RepairContext&) = nullptr;
  std::vector<Tensor> (*evaluate)(const Graph&, const Node&,
                                  std::span<const Tensor* const> inputs) = nullptr;
  // Inputs that hold sizes, bounds or indices rather than data: never labelled, never cut.
  std::vector<int> parameter_inputs = {};
};

// All operators, by name.
std::span<const OpDef* const> operators();
// Null for an operator that Coppice doesn't know. `domain` "" and "ai.onnx" are ONNX's own.
const OpDef* find_operator(const std::string& domain, const std::string& type);

// A possibly negative axis as a number within [0, rank). Throws Error::input naming the node.
int64_t resolve_axis(const Graph& graph, const Node& node, int64_t axis, int64_t rank);

}  // namespace coppice
