// Which constants of a graph are trained. ONNX doesn't say: weights, buffers and plain numbers are
// all constants.
//
// Trained are float32 constants that a layer reads as its own (graph/op.h: weights, tables, biases,
// scales, shifts and slopes), also behind Reshape, Transpose,
// Identity and the like; and those of more than one element that are added to or multiplied with
// something that a trained layer computed (biases of their own, layer scales, tables of positions).
// Left alone: single numbers, exponents, divisors, bounds, and what normalises the input.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace coppice {

struct Parameter {
  enum class Kind { weight, bias, norm };  // what weight decay distinguishes
  ValueId id = kNoValue;
  Kind kind = Kind::weight;
  int32_t node = -1;  // its first reader, and as which input of it
  int input = 0;
};

// In the order of their first readers.
std::vector<Parameter> trained_parameters(const Graph& graph);
// By value: whether a gradient comes from it to anything trained.
std::vector<char> values_with_gradient(const Graph& graph);
// What a layer has as that input: its weight, its bias; nothing where it reads what others
// computed.
std::optional<Parameter::Kind> own_of_layer(const Node& node, int input);

// The constants that hold the running statistics of normalisations, which training moves without a
// gradient; also where an exporter put an Identity between.
std::vector<ValueId> running_statistics(const Graph& graph);

bool has_batch_norm(const Graph& graph);

}  // namespace coppice
