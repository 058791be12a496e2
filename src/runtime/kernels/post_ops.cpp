// Post-ops. A residual sum has two forms: `sum` accumulates in the other operand's memory, which
// saves a buffer but needs the operand to die here, and to come first (anywhere else oneDNN's fast
// convolutions refuse it); `binary add` reads it from where it is.

#include "core/error.h"
#include "runtime/kernels/steps.h"

namespace coppice::runtime {
namespace {

// One number a channel; the channel is axis 1 of what the primitive computes.
Description by_channel(const Description& result, int64_t channels) {
  Shape shape(onednn::layout_of(result).dims.size(), 1);
  shape[1] = channels;
  return plain_description(shape);
}

// Whether post-op `index` may accumulate in its operand's memory: neither the primitive nor another
// post-op reads from there.
bool may_sum_into(const Lowering& lowering, const Layer& layer, size_t index,
                  std::span<const ValueId> reads) {
  std::vector<ValueId> others(reads.begin(), reads.end());
  for (size_t i = 0; i < layer.post_ops.size(); ++i) {
    if (i != index) others.push_back(layer.post_ops[i].operand);
  }
  return lowering.may_overwrite(layer.post_ops[index].operand, others);
}

}  // namespace

dnnl::primitive_attr plan_attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

FusedOps fuse_operations(Lowering& lowering, const Layer& layer, const Description& result,
                         std::span<const ValueId> reads, Sum sum, float scale) {
  FusedOps fused;
  dnnl::post_ops operations;
  if (scale != 1) onednn::append_eltwise(operations, dnnl::algorithm::eltwise_linear, scale, 0);
  const Shape computed = onednn::layout_of(result).dims;
  const int64_t channels = computed[1];
  for (size_t i = 0; i < layer.post_ops.size(); ++i) {
    const PostOp& op = layer.post_ops[i];
    if (op.eltwise) {
      onednn::append_eltwise(operations, op.eltwise->algorithm, op.eltwise->alpha,
                             op.eltwise->beta);
      continue;
    }
    const bool whole = lowering.shape(op.operand) == lowering.shape(layer.output);
    if (whole && sum == Sum::allowed && i == 0 && may_sum_into(lowering, layer, i, reads)) {
      fused.summed = op.operand;
      operations.append_sum();
      continue;
    }
    Location operand = lowering.natural(op.operand);
    if (!whole) {
      operand.desc = by_channel(result, channels);
    } else if (computed.size() == lowering.shape(layer.output).size()) {
      operand = lowering.as(op.operand, result);
    } else {
      operand = {lowering.plain(op.operand).buffer, result};
    }
    const int index = operations.len();
    operations.append_binary(dnnl::algorithm::binary_add, operand.desc);
    fused.arguments.emplace_back(DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1, operand);
  }
  fused.attributes.set_post_ops(operations);
  return fused;
}

Location place_result(Lowering& lowering, const Layer& layer, const FusedOps& fused,
                      const Description& desc) {
  if (fused.summed == kNoValue) return lowering.place(layer.output, desc);
  const Location operand = lowering.as(fused.summed, desc);
  lowering.place_in(layer.output, operand);
  return operand;
}

}  // namespace coppice::runtime
