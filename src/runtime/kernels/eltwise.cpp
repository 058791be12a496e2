// Activations that follow nothing they could be fused with: in the layout of their input, unless
// oneDNN has but a plain loop for that one, and in its memory where nobody reads it later.

#include <algorithm>

#include "runtime/kernels/steps.h"

namespace coppice::runtime {
namespace {

using Primitives = std::vector<dnnl::eltwise_forward::primitive_desc>;

// Empty where one of the functions can't be created.
Primitives create(const Lowering& lowering, const std::vector<Eltwise>& functions,
                  const Description& desc) {
  Primitives primitives;
  for (const Eltwise& f : functions) {
    const auto primitive = try_create([&] {
      return onednn::describe_eltwise(lowering.engine(), plan_attributes(), f.algorithm, desc,
                                      f.alpha, f.beta);
    });
    if (!primitive) return {};
    primitives.push_back(*primitive);
  }
  return primitives;
}

}  // namespace

bool lower_eltwise(Lowering& lowering, const Layer& layer) {
  const ValueId input = lowering.node(layer).inputs[0];
  const auto functions = eltwise_of(lowering.graph(), lowering.node(layer));
  if (!functions || !lowering.describable(input)) return false;
  Location x = lowering.packed(input);
  Primitives primitives = create(lowering, *functions, x.desc);
  if (std::any_of(primitives.begin(), primitives.end(), plain_loops)) {
    x = lowering.plain(input);
    primitives = create(lowering, *functions, x.desc);
  }
  if (primitives.empty()) return false;
  const Location y = lowering.may_overwrite(input, {}) ? x : lowering.allocate(x.desc);
  lowering.place_in(layer.output, y);
  for (size_t i = 0; i < primitives.size(); ++i) {
    lowering.add_primitive(primitives[i], dnnl::eltwise_forward(primitives[i]),
                           {{DNNL_ARG_SRC, i == 0 ? x : y}, {DNNL_ARG_DST, y}});
  }
  return true;
}

}  // namespace coppice::runtime
