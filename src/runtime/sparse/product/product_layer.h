// A layer (compile/layers.h) seen as a sparse product: Gemm and MatMul with a constant matrix, and
// a convolution whose window is the whole image.
#pragma once

#include <optional>

#include "runtime/sparse/layer.h"
#include "runtime/sparse/product/product.h"

namespace coppice::runtime {

// Of more rows oneDNN reads its weights only once, too, and computes with all of them.
inline constexpr int64_t kMostRows = 8;

struct ProductLayer {
  ValueId x, y;
  int64_t rows;
  MatrixView weight;  // as the graph has it: without what is folded in
  Followers followers = {};
};

// Nothing for other layers, and for those that a function follows which our loops lack.
std::optional<ProductLayer> product_layer_of(const Graph& graph, const Inferred& inferred,
                                             const Layer& layer);

}  // namespace coppice::runtime
