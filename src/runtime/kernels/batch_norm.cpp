// BatchNormalization that folds into nothing, with the Relu behind it if there is one.

#include "graph/views/batch_norm.h"

#include "runtime/kernels/steps.h"

namespace coppice::runtime {

bool lower_batch_norm(Lowering& lowering, const Layer& layer) {
  using dnnl::batch_normalization_forward;
  using dnnl::normalization_flags;
  const Node& node = lowering.node(layer);
  if (!lowering.describable(node.inputs[0]) || node.outputs.size() > 1 ||
      !is_batch_norm_at_inference(node)) {
    return false;
  }
  auto flags = normalization_flags::use_global_stats | normalization_flags::use_scale |
               normalization_flags::use_shift;
  if (!layer.post_ops.empty()) {  // nothing but a Relu, see fuse_layers.cpp
    flags = flags | normalization_flags::fuse_norm_relu;
  }
  const Location x = lowering.packed(node.inputs[0]);
  const auto primitive = try_create([&] {
    return onednn::describe_batch_norm(lowering.engine(), plan_attributes(), x.desc,
                                       node.attributes.real("epsilon", 1e-5f), flags);
  });
  if (!primitive) return false;

  const Description by_channel = plain_description({lowering.shape(node.inputs[0])[1]});
  const auto statistic = [&](int input) {
    return Location{lowering.plain(node.inputs[input]).buffer, by_channel};
  };
  const bool in_place = lowering.may_overwrite(node.inputs[0], {});
  const Location y = in_place ? x : lowering.allocate(x.desc);
  lowering.place_in(layer.output, y);
  lowering.add_primitive(*primitive, batch_normalization_forward(*primitive),
                         {{DNNL_ARG_SRC, x},
                          {DNNL_ARG_SCALE, statistic(1)},
                          {DNNL_ARG_SHIFT, statistic(2)},
                          {DNNL_ARG_MEAN, statistic(3)},
                          {DNNL_ARG_VARIANCE, statistic(4)},
                          {DNNL_ARG_DST, y}});
  return true;
}

}  // namespace coppice::runtime
