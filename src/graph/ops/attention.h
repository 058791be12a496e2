// What an Attention node (opset 23) means, for all who read it.
#pragma once

#include <optional>

#include "graph/op.h"

namespace coppice {

// Q [N, heads, queries, width], K [N, heads, keys, width] and V [N, heads, keys, value_width], or
// all of rank 3, with heads and width merged in the last axis.
struct AttentionForm {
  bool merged = false;
  int64_t batch = 0, heads = 0, queries = 0, keys = 0, width = 0, value_width = 0;
  double scale = 0;
  bool causal = false;

  Shape scores() const { return {batch, heads, queries, keys}; }
};
// Empty for what isn't followed: past keys and values, outputs beside the first, fewer heads of
// keys than of queries, a soft cap. Throws Error::input where shapes don't fit.
std::optional<AttentionForm> attention_form(const Graph& graph, const Node& node, const Shape& q,
                                            const Shape& k, const Shape& v);

}  // namespace coppice
