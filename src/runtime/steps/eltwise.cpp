// Activations that follow nothing they could be fused with: in whatever layout their input has, and
// in its memory where nobody reads it later.

#include "runtime/steps/steps.h"

namespace coppice::runtime {

bool lower_eltwise(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  const auto functions = eltwise_of(lowering.graph(), node);
  if (!functions || !lowering.describable(node.inputs[0])) return false;
  const Location x = lowering.natural(node.inputs[0]);
  std::vector<dnnl::eltwise_forward::primitive_desc> primitives;
  for (const Eltwise& function : *functions) {
    const auto primitive = try_create([&] {
      const dnnl::eltwise_forward::desc desc(dnnl::prop_kind::forward_inference, function.algorithm,
                                             x.desc, function.alpha, function.beta);
      return dnnl::eltwise_forward::primitive_desc(desc, plan_attributes(), lowering.engine());
    });
    if (!primitive) return false;
    primitives.push_back(*primitive);
  }
  const Location y = lowering.may_overwrite(node.inputs[0], {}) ? x : lowering.allocate(x.desc);
  lowering.place_in(layer.output, y);
  for (size_t i = 0; i < primitives.size(); ++i) {
    lowering.add_primitive(primitives[i], dnnl::eltwise_forward(primitives[i]),
                           {{DNNL_ARG_SRC, i == 0 ? x : y}, {DNNL_ARG_DST, y}});
  }
  return true;
}

}  // namespace coppice::runtime
