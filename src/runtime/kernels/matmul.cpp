// MatMul: an inner product where the right operand is a constant matrix, else a oneDNN matmul with
// batch axes broadcast.

#include "graph/ops/ops.h"
#include "runtime/kernels/products.h"

namespace coppice::runtime {
namespace {

bool lower_constant(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  const Tensor& weight = *lowering.constant(node.inputs[1]);
  const int64_t inner = weight.shape()[0], columns = weight.shape()[1];
  const int64_t rows = element_count(lowering.shape(node.inputs[0])) / inner;
  return lower_product(lowering, layer,
                       {rows, inner, columns, weight,
                        strided_description({columns, inner}, {1, columns}), std::nullopt});
}

}  // namespace

bool lower_matmul(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  if (!lowering.describable(node.inputs[0]) || !lowering.describable(node.inputs[1]) ||
      !lowering.describable(layer.output)) {
    return false;
  }
  Shape a = lowering.shape(node.inputs[0]), b = lowering.shape(node.inputs[1]);
  if (a.size() >= 2 && b.size() == 2 && lowering.constant(node.inputs[1])) {
    return lower_constant(lowering, layer);
  }
  if (a.size() < 2 || b.size() < 2) return false;
  const size_t rank = std::max(a.size(), b.size());
  a.insert(a.begin(), rank - a.size(), 1);
  b.insert(b.begin(), rank - b.size(), 1);
  const Description from_a = plain_description(a), from_b = plain_description(b);
  const Description y = plain_description(lowering.shape(layer.output));
  // By-channel operands follow the last axis, which oneDNN reads as axis 1 of a matrix only.
  if (rank != 2 && !layer.post_ops.empty()) return false;
  const FusedOps fused = fuse_operations(lowering, layer, y, node.inputs, Sum::never);
  const auto primitive = try_create([&] {
    return onednn::describe<dnnl::matmul>(lowering.engine(), fused.attributes, from_a, from_b, y);
  });
  if (!primitive) return false;
  auto arguments = fused.arguments;
  arguments.emplace_back(DNNL_ARG_SRC, Location{lowering.plain(node.inputs[0]).buffer, from_a});
  arguments.emplace_back(DNNL_ARG_WEIGHTS, Location{lowering.plain(node.inputs[1]).buffer, from_b});
  arguments.emplace_back(DNNL_ARG_DST, lowering.place(layer.output, y));
  lowering.add_primitive(*primitive, dnnl::matmul(*primitive), std::move(arguments));
  return true;
}

}  // namespace coppice::runtime
