// What ONNX Runtime's MultiHeadAttention and Attention (com.microsoft) mean, for all who read them.
#pragma once

#include <optional>

#include "graph/op.h"

namespace coppice {

// Queries [N, queries, heads * width], keys [N, keys, heads * width] and values [N, keys, heads *
// value_width]; Attention computes all three from one input by one weight, side by side.
struct FusedAttentionForm {
  int64_t batch = 0, heads = 0, queries = 0, keys = 0, width = 0, value_width = 0;
  double scale = 0;
};
// Empty for what isn't followed: packed or past keys, and outputs beside the first. Throws
// Error::input where shapes don't fit. Of MultiHeadAttention, then of Attention.
std::optional<FusedAttentionForm> multi_head_form(const Graph& graph, const Node& node,
                                                  const Shape& q, const Shape* k, const Shape* v);
std::optional<FusedAttentionForm> own_attention_form(const Graph& graph, const Node& node,
                                                     const Shape& x, const Shape& weight);

}  // namespace coppice
