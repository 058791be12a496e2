// Replaces whatever doesn't depend on the graph's inputs by its value: exporters' shape arithmetic,
// pads computed node by node, normalised weights.
//
// With every size bound, a Shape node has a value too, so the graph that is left holds for these
// sizes only; callers that write the graph back infer at no sizes of their own.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "graph/infer.h"

namespace coppice {

// The outputs of a node whose inputs are all known (null: left out); nothing where it can't be
// computed, and then the node stays.
using EvaluateNode = std::function<std::optional<std::vector<Tensor>>(
    const Graph&, const Node&, std::span<const Tensor* const>)>;

// What the operator's own OpDef::evaluate can do.
std::optional<std::vector<Tensor>> evaluate_operator(const Graph& graph, const Node& node,
                                                     std::span<const Tensor* const> inputs);

// `inferred` is what `infer` says of this graph; values keep their ids. Nodes without a reader
// left are dropped.
void fold_constants(Graph& graph, const Inferred& inferred,
                    const EvaluateNode& evaluate = evaluate_operator);

}  // namespace coppice
