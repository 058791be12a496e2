// An elementwise function of floats as an operator: what it computes says what zero becomes, and so
// what it does to channels. Private to graph/ops.
#pragma once

#include <cmath>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice::elementwise {

using Function = float (*)(const Attributes&, float);

inline void require_f32(const Graph& graph, const Node& node, const Tensor& input) {
  if (input.dtype() == DType::f32) return;
  fail_input(where(graph, node) + ": input is " + name_of(input.dtype()) +
             ", only float32 can be run");
}

template <Function function>
std::vector<Tensor> evaluate(const Graph& graph, const Node& node,
                             std::span<const Tensor* const> inputs) {
  require_f32(graph, node, *inputs[0]);
  Tensor output = *inputs[0];
  for (float& element : output.mutate<float>()) element = function(node.attributes, element);
  return {std::move(output)};
}

// f(0) is asked of the function itself, so the table can't contradict it. Where it is infinite
// (Log, Reciprocal), zero times it would be NaN in the masked model.
template <Function function>
void relate_function(Relations& relations) {
  const float at_zero = function(relations.node().attributes, 0.0f);
  relate_unary(relations, at_zero == 0.0f);
  if (std::isfinite(at_zero)) return;
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (!relations.zero_when_dead(0, axis)) continue;
    relations.pin(relations.input(0, axis), PinKind::meaning, "masking would give infinity");
  }
}

template <Function function>
OpDef unary(const char* type) {
  return {.type = type,
          .arity = {1, 1},
          .reads = {Reads::data},
          .reach = Reach::element,
          .infer = infer_same,
          .relate = relate_function<function>,
          .evaluate = evaluate<function>};
}

template <Function function>
OpDef monotone(const char* type) {
  OpDef op = unary<function>(type);
  op.monotone = true;
  return op;
}

// Flat but for its steps.
template <Function function>
OpDef steps(const char* type) {
  OpDef op = monotone<function>(type);
  op.passes_gradient = no_gradient;
  return op;
}

}  // namespace coppice::elementwise
