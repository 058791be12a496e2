// What ONNX Runtime's GroupQueryAttention (com.microsoft) means, for all who read it.
#pragma once

#include <optional>

#include "graph/op.h"

namespace coppice {

// Queries [N, queries, heads * width], keys and values [N, queries, key_heads * width], or all
// three side by side in the first input, and tables of keys and values of earlier runs [N,
// key_heads, past, width], of which an image's length says how many count. A query looks at what
// came before it and at itself; `window`: at so many at most, 0: at all.
struct GroupQueryForm {
  bool packed = false, rotates = false;
  int64_t batch = 0, queries = 0, heads = 0, key_heads = 0, width = 0, past = 0, window = 0;
  double scale = 0, softcap = 0;

  int64_t query_size() const { return heads * width; }
  int64_t key_size() const { return key_heads * width; }
};
enum GroupQueryInput {
  kGroupQuery,
  kGroupKey,
  kGroupValue,
  kGroupPastKey,
  kGroupPastValue,
  kGroupLengths,  // by image, less one
  kGroupTotal,    // the longest
  kGroupCosine,
  kGroupSine,
  kGroupPositions,
  kGroupBias,  // added to scores
};
// `key`, `past`: null where left out. Empty for what isn't followed: sinks, quantised caches,
// scores as an output. Throws Error::input where shapes don't fit.
std::optional<GroupQueryForm> group_query_form(const Graph& graph, const Node& node, const Shape& q,
                                               const Shape* key, const Shape* past);

}  // namespace coppice
