// What Gemm and MatMul share. Private to `steps`.
#pragma once

#include "runtime/kernels/steps.h"

namespace coppice::runtime {

struct MatrixProduct {
  int64_t rows, inner, columns;
  Tensor weight;  // constant, elements of [columns, inner] as described
  Description weight_description;
  std::optional<Tensor> bias;  // [columns]
};
// The layer's first input, plain, times the constant matrix.
bool lower_product(Lowering& lowering, const Layer& layer, const MatrixProduct& product);
// The same on sparse weights, where the layer was chosen to run so.
bool lower_sparse_product(Lowering& lowering, const Layer& layer, const MatrixProduct& product);

}  // namespace coppice::runtime
