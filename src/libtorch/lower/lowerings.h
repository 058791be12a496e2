// The lowerings, one operator family a file, and the few helpers they share.
//
// Values alias: a view (Reshape, Slice, Identity) shares the memory of what it views. A lowering
// that gives its input unchanged therefore gives `at::alias` of it, and nothing is written over
// that is a view: `writable` asks the tensor itself, since the program can't know.
#pragma once

#include <utility>

#include "libtorch/lower/lower.h"

namespace coppice::train {

Step lower_arg_max(const LowerContext& context);
Step lower_arg_min(const LowerContext& context);
Step lower_attention(const LowerContext& context);
Step lower_average_pool(const LowerContext& context);
Step lower_batch_norm(const LowerContext& context);
Step lower_cast(const LowerContext& context);
Step lower_celu(const LowerContext& context);
Step lower_clip(const LowerContext& context);
Step lower_concat(const LowerContext& context);
Step lower_constant_of_shape(const LowerContext& context);
Step lower_conv(const LowerContext& context);
Step lower_conv_transpose(const LowerContext& context);
Step lower_cum_sum(const LowerContext& context);
Step lower_depth_to_space(const LowerContext& context);
Step lower_dequantize(const LowerContext& context);
Step lower_div(const LowerContext& context);
Step lower_dropout(const LowerContext& context);
Step lower_einsum(const LowerContext& context);
Step lower_elu(const LowerContext& context);
Step lower_expand(const LowerContext& context);
Step lower_gather(const LowerContext& context);
Step lower_gelu(const LowerContext& context);
Step lower_gemm(const LowerContext& context);
Step lower_global_average_pool(const LowerContext& context);
Step lower_global_max_pool(const LowerContext& context);
Step lower_group_norm(const LowerContext& context);
Step lower_gru(const LowerContext& context);
Step lower_hard_sigmoid(const LowerContext& context);
Step lower_instance_norm(const LowerContext& context);
Step lower_layer_norm(const LowerContext& context);
Step lower_leaky_relu(const LowerContext& context);
Step lower_log_softmax(const LowerContext& context);
Step lower_lp_norm(const LowerContext& context);
Step lower_lrn(const LowerContext& context);
Step lower_lstm(const LowerContext& context);
Step lower_max(const LowerContext& context);
Step lower_max_pool(const LowerContext& context);
Step lower_mean_variance_norm(const LowerContext& context);
Step lower_min(const LowerContext& context);
Step lower_mod(const LowerContext& context);
Step lower_pad(const LowerContext& context);
Step lower_pow(const LowerContext& context);
Step lower_prelu(const LowerContext& context);
Step lower_quantize(const LowerContext& context);
Step lower_range(const LowerContext& context);
Step lower_reduce_l1(const LowerContext& context);
Step lower_reduce_l2(const LowerContext& context);
Step lower_reduce_log_sum(const LowerContext& context);
Step lower_reduce_log_sum_exp(const LowerContext& context);
Step lower_reduce_max(const LowerContext& context);
Step lower_reduce_mean(const LowerContext& context);
Step lower_reduce_min(const LowerContext& context);
Step lower_reduce_prod(const LowerContext& context);
Step lower_reduce_sum(const LowerContext& context);
Step lower_reduce_sum_square(const LowerContext& context);
Step lower_relu(const LowerContext& context);
Step lower_reshape(const LowerContext& context);  // Flatten, Squeeze, Unsqueeze, too
Step lower_resize(const LowerContext& context);   // Upsample, too
Step lower_rms_norm(const LowerContext& context);
Step lower_rnn(const LowerContext& context);
Step lower_scatter_nd(const LowerContext& context);
Step lower_selu(const LowerContext& context);
Step lower_slice(const LowerContext& context);
Step lower_softmax(const LowerContext& context);
Step lower_softplus(const LowerContext& context);
Step lower_softsign(const LowerContext& context);
Step lower_space_to_depth(const LowerContext& context);
Step lower_split(const LowerContext& context);
Step lower_sub(const LowerContext& context);
Step lower_sum(const LowerContext& context);  // Add, too
Step lower_thresholded_relu(const LowerContext& context);
Step lower_tile(const LowerContext& context);
Step lower_top_k(const LowerContext& context);
Step lower_transpose(const LowerContext& context);
Step lower_where(const LowerContext& context);

// output 0 = function(input 0)
template <typename Function>
Step of_one(const LowerContext& context, Function function) {
  return [function = std::move(function), x = context.in(0), y = context.out()](
             Values& values, Mode) { values[y] = function(std::as_const(values[x])); };
}
// output 0 = function(input 0, input 1)
template <typename Function>
Step of_two(const LowerContext& context, Function function) {
  return [function = std::move(function), a = context.in(0), b = context.in(1), y = context.out()](
             Values& values, Mode) {
    values[y] = function(std::as_const(values[a]), std::as_const(values[b]));
  };
}

// The same for a function of ATen that needs nothing else.
template <at::Tensor (*function)(const at::Tensor&)>
Step lower_unary(const LowerContext& context) {
  return of_one(context, function);
}
template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&)>
Step lower_binary(const LowerContext& context) {
  return of_two(context, function);
}

// Whether a step that may overwrite the value may do so in this tensor.
inline bool writable(const at::Tensor& tensor) {
  return !tensor.is_view() && !(tensor.is_leaf() && tensor.requires_grad());
}

// The one number in a tensor of any float or integer type that is run. Fails where there isn't just
// one; `what` names it.
double number_of(const LowerContext& context, const Tensor& tensor, const std::string& what);

// Pads (a negative one crops) from the axes' beginnings and ends, as at::constant_pad_nd wants
// them: the last axis first, both sides of an axis together.
std::vector<int64_t> last_axis_first(const std::vector<int64_t>& begin,
                                     const std::vector<int64_t>& end);

}  // namespace coppice::train
