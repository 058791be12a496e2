// How each operator becomes steps: one function an operator, one file a kind of primitive.
//
// A function gets a layer whose first node is its operator. It either places the layer's outputs
// and adds the steps that compute them, or returns false having done neither; then the layer's
// nodes are lowered one by one, and a node that can't be lowered alone runs by its reference
// kernel.
#pragma once

#include <string_view>

#include "runtime/compile/lowering.h"
#include "runtime/compile/onednn.h"
#include "runtime/observation.h"

namespace coppice::runtime {

using Lower = bool (*)(Lowering&, const Layer&);
// Null for an operator that only has a reference kernel.
Lower find_lowering(const Node& node);

bool lower_conv(Lowering&, const Layer&);
// Where the layer was chosen to run on sparse weights.
bool lower_sparse_conv(Lowering&, const Layer&, const SparseVariant&);
bool lower_gemm(Lowering&, const Layer&);
bool lower_matmul(Lowering&, const Layer&);
bool lower_batch_norm(Lowering&, const Layer&);
bool lower_pool(Lowering&, const Layer&);
bool lower_global_pool(Lowering&, const Layer&);
bool lower_spatial_mean(Lowering&, const Layer&);
bool lower_eltwise(Lowering&, const Layer&);
bool lower_binary(Lowering&, const Layer&);
bool lower_concat(Lowering&, const Layer&);
bool lower_softmax(Lowering&, const Layer&);
bool lower_reshape(Lowering&, const Layer&);
bool lower_slice(Lowering&, const Layer&);
bool lower_pad(Lowering&, const Layer&);
bool lower_transpose(Lowering&, const Layer&);
bool lower_split(Lowering&, const Layer&);
// Any node, on plain layouts, by evaluate_node. Such a step allocates its results while it runs.
void lower_fallback(Lowering&, const Layer&);

// Steps that look at observed values: those that are there before the first layer, and those that a
// lowered layer has computed (what is observed is never inside of one).
void observe_given(Lowering&, const Observation&);
void observe_outputs(Lowering&, const Observation&, const Layer&);

// Attributes that every primitive has: its scratchpad is a buffer of the plan.
dnnl::primitive_attr plan_attributes();

// A layer's post-ops as oneDNN wants them.
struct FusedOps {
  dnnl::primitive_attr attributes = plan_attributes();
  std::vector<std::pair<int, Location>> arguments;  // operands of binary post-ops
  ValueId summed = kNoValue;  // an operand in whose memory the result is accumulated
};
enum class Sum { allowed, never };
// `result` describes the primitive's result, also where the primitive sees it with other axes than
// the graph does. `reads`: what the primitive reads, which must not be written over. `scale`: what
// the result is multiplied by before all else.
FusedOps fuse_operations(Lowering& lowering, const Layer& layer, const Description& result,
                         std::span<const ValueId> reads, Sum sum, float scale = 1);
// Memory for the layer's output: the summed operand's, or new.
Location place_result(Lowering& lowering, const Layer& layer, const FusedOps& fused,
                      const Description& desc);

// Calls make(), which creates a primitive descriptor; nothing where oneDNN has no implementation.
template <typename Make>
auto try_create(Make make) -> std::optional<decltype(make())> {
  try {
    return make();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented || error.status == dnnl_invalid_arguments) {
      return std::nullopt;
    }
    throw;
  }
}

// Whether oneDNN has nothing but its plain loop for it, which takes some 60 ns an element. (It does
// where padded channels would have to be zeroed behind the kernel, and for odd broadcasts.)
inline bool plain_loops(const dnnl::primitive_desc& primitive) {
  return std::string_view(primitive.impl_info_str()).starts_with("ref");
}

}  // namespace coppice::runtime
