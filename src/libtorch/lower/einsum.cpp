// Einsum: LibTorch reads the same equations. Those that inference doesn't follow (ellipses,
// diagonals) have no shape and are refused before they come here.
#include "libtorch/lower/lowerings.h"

namespace coppice::train {

Step lower_einsum(const LowerContext& context) {
  return [equation = context.attributes().text("equation", ""), inputs = context.node().inputs,
          y = context.out()](Values& values, Mode) {
    std::vector<at::Tensor> operands;
    for (const ValueId id : inputs) operands.push_back(values[id]);
    values[y] = at::einsum(equation, operands);
  };
}

}  // namespace coppice::train
