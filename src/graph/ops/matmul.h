// What every matrix product says of its axes, wherever among its inputs the right operand stands;
// the left one is the first.
#pragma once

#include "graph/op.h"

namespace coppice {

// The output's shape. Throws Error::input where shapes don't fit.
Shape multiplied(InferContext& context, int right);
void relate_product(Relations& relations, int right);

// numpy's product: batch axes broadcast, operands of rank 1 promoted. Sums run in double.
struct Product {
  Shape shape;
  std::vector<double> sums;
};
Product product_of(std::span<const float> a, Shape sa, std::span<const float> b, Shape sb);

}  // namespace coppice
