// One operator, one place: an OpDef says all that the light half needs to know of an operator.
//
//   infer     output types and shapes from input types and shapes
//   relate    which channels go together (graph/relations.h)
//   reads     what each of its inputs is to it: data, a weight, a bias, a setting
//   reach     whether it works element by element, or channel by channel
//   moves     whether it hands on what it reads, at other places or in another shape
//   macs      multiply-accumulates for given shapes; Conv, Gemm and MatMul count
//   repair    what must be rewritten when channels left: attributes, and inputs that hold sizes
//   evaluate  the outputs themselves, for cheap operators; shape arithmetic is folded with it
//   linear    which axes of its weight are outputs and inputs (graph/views/linear_layer.h)
//
// Whoever must know what kind of operator a node is asks these, never its name; a name stands in
// its own file, in the tables of those who compute it, and where a pass writes such a node.
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
  // A size that only running the graph tells, such as how many boxes are found.
  virtual int64_t unknown_size() = 0;

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

// What an operator reads as one of its inputs.
enum class Reads : uint8_t {
  data,
  shape,    // how large it is, not what is in it
  setting,  // sizes, bounds or indices: never labelled, never cut
  weight,   // multiplied and summed over; of a product the side that is constant
  table,    // picked from by index: rows that are learnt
  bias,     // added to what the weights give
  scale,    // of a normalisation, and what it adds:
  shift,
  statistic,  // a normalisation's running mean or variance: moves without a gradient
  slope,      // of the side of an activation that isn't handed on
  term,       // added to the other terms
  subtrahend,
  factor,      // multiplied with the other factors, element by element
  code,        // integers that stand for numbers,
  step,        // what they are counted in,
  zero_point,  // and which of them is zero
};

// How far an element of an output looks: it is a function of
enum class Reach : uint8_t {
  anywhere,
  channel,  // the data in its own channel (axis 1) alone, and of vectors by channel
  element,  // the elements at its own place (of all inputs but settings, which broadcast)
};

// Whether outputs are elements of the first input as they are.
enum class Moves : uint8_t {
  computes,
  picks,     // some of them, or some more than once
  permutes,  // all of them in another order
  reshapes,  // all of them in their order
};

struct LinearLayer;

struct OpDef {
  const char* type;
  Arity arity;
  std::vector<Reads> reads;  // one for each input, or one for all of them
  Reach reach = Reach::anywhere;
  Moves moves = Moves::computes;
  bool monotone = false;    // of one input, and with it only rises or only falls, where defined
  const char* domain = "";  // ONNX's own
  bool trains = true;       // has a lowering in libtorch/lower
  void (*infer)(InferContext&) = nullptr;
  void (*relate)(Relations&) = nullptr;
  int64_t (*macs)(const Node&, std::span<const Shape> inputs,
                  std::span<const Shape> outputs) = nullptr;
  void (*repair)(RepairContext&) = nullptr;
  std::vector<Tensor> (*evaluate)(const Graph&, const Node&,
                                  std::span<const Tensor* const> inputs) = nullptr;
  // Input `weight` as a layer's weight. Requires: it is read as a weight.
  LinearLayer (*linear)(const Node&, int weight) = nullptr;
  // Whether a gradient comes from that output to the data; null: from all of them.
  bool (*passes_gradient)(const Node&, int output) = nullptr;
  // Whether a node whose output is of its input's type and shape surely hands it on unchanged.
  // `known`: by input its value, null where it isn't known. Null: it never does so for sure.
  bool (*idle)(const Node&, const Shape& shape, std::span<const Tensor* const> known) = nullptr;
};

// All operators, by name.
std::span<const OpDef* const> operators();
// Null for an operator that Coppice doesn't know. `domain` "" and "ai.onnx" are ONNX's own.
const OpDef* find_operator(const std::string& domain, const std::string& type);

// What the node reads as that input: data, for an operator that Coppice doesn't know.
inline Reads reads_as(const Node& node, size_t input) {
  if (!node.op) return Reads::data;
  const std::vector<Reads>& reads = node.op->reads;
  if (input < reads.size()) return reads[input];
  return reads.size() == 1 ? reads[0] : Reads::data;
}
inline bool is_setting(const Node& node, size_t input) {
  return reads_as(node, input) == Reads::setting;
}
// Whether it gives the sum of all that it reads.
inline bool is_sum(const Node& node) {
  return reads_as(node, 0) == Reads::term && reads_as(node, 1) == Reads::term;
}
// Shape arithmetic begins there, and no element goes into it.
inline bool reads_only_shape(const Node& node) { return reads_as(node, 0) == Reads::shape; }
// Whether a gradient comes from that output to what the node reads.
inline bool passes_gradient(const Node& node, int output) {
  return !node.op || !node.op->passes_gradient || node.op->passes_gradient(node, output);
}

// A possibly negative axis as a number within [0, rank). Throws Error::input naming the node.
int64_t resolve_axis(const Graph& graph, const Node& node, int64_t axis, int64_t rank);

}  // namespace coppice
