// Which axes of Gemm's operands are which, as its transA and transB say; QGemm has the same.
#pragma once

#include "graph/graph.h"

namespace coppice {

struct GemmLayout {
  int64_t rows, a_inner, b_inner, columns;  // axes
};

inline GemmLayout gemm_layout(const Node& node) {
  const bool a = node.attributes.integer("transA", 0) != 0;
  const bool b = node.attributes.integer("transB", 0) != 0;
  return {a ? 1 : 0, a ? 0 : 1, b ? 1 : 0, b ? 0 : 1};
}

}  // namespace coppice
