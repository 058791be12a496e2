// What differs between oneDNN 2 (Debian 12) and oneDNN 3 (Debian 13): how an operation is said, and
// how a memory's layout is asked for. Nothing else of the runtime knows that there are two.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <utility>

namespace coppice::runtime::onednn {

#if DNNL_VERSION_MAJOR >= 3
using Pooling = dnnl::pooling_forward;
using Softmax = dnnl::softmax_forward;
#else
using Pooling = dnnl::pooling_v2_forward;
using Softmax = dnnl::softmax_v2_forward;
#endif

// A primitive's descriptor of `what` it does. Throws dnnl::error where there is no such thing.
template <typename Primitive, typename... What>
typename Primitive::primitive_desc describe(const dnnl::engine& engine,
                                            const dnnl::primitive_attr& attributes,
                                            const What&... what) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, what..., attributes};
#else
  return {typename Primitive::desc(what...), attributes, engine};
#endif
}

// Of an operation by element, whose result lies as `data` does.
inline dnnl::eltwise_forward::primitive_desc describe_eltwise(
    const dnnl::engine& engine, const dnnl::primitive_attr& attributes, dnnl::algorithm algorithm,
    const dnnl::memory::desc& data, float alpha, float beta) {
  constexpr auto kKind = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kKind, algorithm, data, data, alpha, beta, attributes};
#else
  return describe<dnnl::eltwise_forward>(engine, attributes, kKind, algorithm, data, alpha, beta);
#endif
}

inline dnnl::batch_normalization_forward::primitive_desc describe_batch_norm(
    const dnnl::engine& engine, const dnnl::primitive_attr& attributes,
    const dnnl::memory::desc& data, float epsilon, dnnl::normalization_flags flags) {
  constexpr auto kKind = dnnl::prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kKind, data, data, epsilon, flags, attributes};
#else
  return describe<dnnl::batch_normalization_forward>(engine, attributes, kKind, data, epsilon,
                                                     flags);
#endif
}

// Of eltwise_hardswish, x clip(alpha x + beta, 0, 1), as ONNX's HardSwish is; oneDNN 2 has these
// numbers built in, and takes none.
#if DNNL_VERSION_MAJOR >= 3
inline constexpr float kHardSwishAlpha = 1.0f / 6, kHardSwishBeta = 0.5f;
#else
inline constexpr float kHardSwishAlpha = 0, kHardSwishBeta = 0;
#endif

inline void append_eltwise(dnnl::post_ops& operations, dnnl::algorithm algorithm, float alpha,
                           float beta) {
#if DNNL_VERSION_MAJOR >= 3
  operations.append_eltwise(algorithm, alpha, beta);
#else
  operations.append_eltwise(1, algorithm, alpha, beta);
#endif
}

// How a memory's elements lie: axes with their strides, the innermost of them in blocks.
struct Layout {
  bool blocked = false;  // strides and blocks say all of it
  dnnl::memory::dims dims, padded_dims, strides, blocks, block_axes;
  dnnl::memory::dim offset = 0;
};

inline Layout layout_of(const dnnl::memory::desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  Layout layout;
  layout.blocked = desc.get_format_kind() == dnnl::memory::format_kind::blocked;
  layout.dims = desc.get_dims();
  layout.padded_dims = desc.get_padded_dims();
  layout.offset = desc.get_submemory_offset();
  if (!layout.blocked) return layout;
  layout.strides = desc.get_strides();
  layout.blocks = desc.get_inner_blks();
  layout.block_axes = desc.get_inner_idxs();
  return layout;
#else
  const dnnl_memory_desc_t& d = desc.data;
  Layout layout;
  layout.blocked = d.format_kind == dnnl_blocked;
  layout.dims = {d.dims, d.dims + d.ndims};
  layout.padded_dims = {d.padded_dims, d.padded_dims + d.ndims};
  layout.offset = d.offset0;
  if (!layout.blocked) return layout;
  const dnnl_blocking_desc_t& blocking = d.format_desc.blocking;
  layout.strides = {blocking.strides, blocking.strides + d.ndims};
  layout.blocks = {blocking.inner_blks, blocking.inner_blks + blocking.inner_nblks};
  layout.block_axes = {blocking.inner_idxs, blocking.inner_idxs + blocking.inner_nblks};
  return layout;
#endif
}

}  // namespace coppice::runtime::onednn
