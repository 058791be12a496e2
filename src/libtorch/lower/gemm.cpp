// Gemm: alpha A' B' + beta C.
#include "libtorch/lower/lowerings.h"

namespace coppice::train {

Step lower_gemm(const LowerContext& context) {
  const Attributes& attributes = context.attributes();
  return
      [trans_a = attributes.integer("transA", 0) != 0,
       trans_b = attributes.integer("transB", 0) != 0,
       alpha = static_cast<double>(attributes.real("alpha", 1)),
       beta = static_cast<double>(attributes.real("beta", 1)), a = context.in(0), b = context.in(1),
       c = context.has(2) ? context.in(2) : kNoValue, y = context.out()](Values& values, Mode) {
        const at::Tensor left = trans_a ? values[a].t() : values[a];
        const at::Tensor right = trans_b ? values[b].t() : values[b];
        if (c != kNoValue) {
          values[y] = at::addmm(values[c], left, right, beta, alpha);
        } else {
          const at::Tensor product = at::mm(left, right);
          values[y] = alpha == 1 ? product : product * alpha;
        }
      };
}

}  // namespace coppice::train
