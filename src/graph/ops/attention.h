// What an Attention node (opset 23 and 24) means, for all who read it.
#pragma once

#include <optional>

#include "graph/op.h"

namespace coppice {

// Q [N, heads, queries, width], K [N, key_heads, keys, width] and V [N, key_heads, keys,
// value_width], or all of rank 3, with heads and width merged in the last axis. Each head of keys
// serves heads / key_heads of queries, which stand beside each other. Before the keys stand `past`
// of earlier runs, in inputs 4 and 5.
struct AttentionForm {
  bool merged = false;
  int64_t batch = 0, heads = 0, key_heads = 0, queries = 0, past = 0, keys = 0;
  int64_t width = 0, value_width = 0;
  double scale = 0, softcap = 0;  // softcap 0: none
  bool causal = false;

  int64_t all_keys() const { return past + keys; }
  Shape scores() const { return {batch, heads, queries, all_keys()}; }
  // Nothing of what newer files may ask for: the form that is trained.
  bool plain() const { return heads == key_heads && past == 0 && softcap == 0; }
};
// `past`: of the past keys, null for none. Empty for what isn't followed: scores as an output.
// Throws Error::input where shapes don't fit.
std::optional<AttentionForm> attention_form(const Graph& graph, const Node& node, const Shape& q,
                                            const Shape& k, const Shape& v,
                                            const Shape* past = nullptr);

// Whether none of an operator's inputs or outputs from that one on is there.
bool absent(const std::vector<ValueId>& ids, size_t from);

// Queries, keys or values of those that lie side by side on one axis.
Axis part(const Axis& axis, int64_t begin, int64_t size);

// Of heads and width merged in one axis: how many blocks of the old width still have something.
int64_t heads_left(const std::vector<bool>& alive, int64_t width);

}  // namespace coppice
