// Softmax and LogSoftmax on the plain layout; before opset 13 on rows of a matrix (see the
// reference kernel).

#include "graph/op.h"
#include "runtime/kernels/steps.h"

namespace coppice::runtime {
namespace {

bool lower(Lowering& lowering, const Layer& layer, dnnl::algorithm algorithm,
           const Description& desc, int axis) {
  const auto primitive = try_create([&] {
    return onednn::describe<onednn::Softmax>(lowering.engine(), plan_attributes(),
                                             dnnl::prop_kind::forward_inference, algorithm, desc,
                                             desc, axis);
  });
  if (!primitive) return false;
  const Location x = lowering.plain(lowering.node(layer).inputs[0]);
  const Location y = lowering.place(layer.output, plain_description(lowering.shape(layer.output)));
  lowering.add_primitive(*primitive, onednn::Softmax(*primitive),
                         {{DNNL_ARG_SRC, {x.buffer, desc}}, {DNNL_ARG_DST, {y.buffer, desc}}});
  return true;
}

}  // namespace

bool lower_softmax(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  if (!lowering.describable(node.inputs[0])) return false;
  const bool rows = lowering.graph().opset < 13;
  Shape shape = lowering.shape(node.inputs[0]);
  int64_t axis =
      resolve_axis(lowering.graph(), node, node.attributes.integer("axis", rows ? 1 : -1),
                   static_cast<int64_t>(shape.size()));
  if (rows) {
    const int64_t outer = element_count({shape.begin(), shape.begin() + axis});
    shape = {outer, element_count(shape) / outer};
    axis = 1;
  }
  const Description desc = plain_description(shape);
  const int along = static_cast<int>(axis);
  const auto algorithm =
      node.op_type == "Softmax" ? dnnl::algorithm::softmax_accurate : dnnl::algorithm::softmax_log;
  return lower(lowering, layer, algorithm, desc, along);
}

}  // namespace coppice::runtime
