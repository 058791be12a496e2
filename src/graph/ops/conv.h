// What every convolution says of its channels, wherever among its inputs weight and bias stand.
// Private to graph/ops.
#pragma once

#include "graph/op.h"

namespace coppice {

struct ConvInputs {
  int weight = 1, bias = 2;  // -1: the operator has no bias
};

// The output's shape. Throws Error::input where shapes don't fit.
Shape convolved(InferContext& context, const ConvInputs& inputs);
void relate_convolution(Relations& relations, const ConvInputs& inputs);
void repair_convolution(RepairContext& context, const ConvInputs& inputs);

}  // namespace coppice
