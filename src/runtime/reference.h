// The reference executor: plain loops, double sums, one operator after the other. It defines what a
// graph computes; `runtime/executable.h` is the fast way to the same numbers.
#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"
#include "graph/infer.h"

namespace coppice {

// The graph's outputs, then the values named by `watch` (any value of the graph, for looking
// inside). Inputs come in the order of graph.inputs; their shapes bind the graph's open sizes.
// Throws Error::input, naming the node, for an operator or attribute that can't be run.
std::vector<Tensor> run_reference(const Graph& graph, std::span<const Tensor> inputs,
                                  std::span<const ValueId> watch = {});

// Throws Error::input where a tensor's type, rank or sizes aren't those that the input declares.
void require_declared(const Value& input, const Tensor& given);
// The sizes under which these inputs run. Throws Error::input where their number, type or rank
// isn't what the graph declares.
InputSizes sizes_of(const Graph& graph, std::span<const Tensor> inputs);

// One node's outputs from its inputs (null: left out), by its kernel here or its OpDef::evaluate.
std::vector<Tensor> evaluate_node(const Graph& graph, const Node& node,
                                  std::span<const Tensor* const> inputs);
// Throws what `evaluate_node` would throw for want of a kernel or for an attribute it doesn't know.
void require_runnable(const Graph& graph, const Node& node);

}  // namespace coppice
