// All operators that can be run: one line each, with the attributes that their kernel honours (any
// other is refused by name, so that none is silently ignored). Without a kernel of its own here, an
// operator is computed by its OpDef::evaluate.

#include <string_view>

#include "graph/is_onnx.h"
#include "graph/views/carried.h"
#include "runtime/reference.h"
#include "runtime/reference/kernels.h"

namespace coppice {
namespace {

using namespace reference;

struct Entry {
  std::string_view type;
  Kernel kernel;
  std::string_view attributes;
};

constexpr Kernel kOwn = nullptr;  // OpDef::evaluate, or a value that inference knows
constexpr std::string_view kReduceAttributes = "axes keepdims noop_with_empty_axes";
// Before opset 7 a binary operator said `broadcast`; what it allowed is numpy's rule, too. `axis`
// beside it is not, and not here. consumed_inputs is a hint of opset 1.
constexpr std::string_view kBinary = "broadcast consumed_inputs", kUnary = "consumed_inputs";

constexpr Entry kEntries[] = {
    {"Abs", kOwn, kUnary},
    {"Acos", kOwn, ""},
    {"Acosh", kOwn, ""},
    {"Add", kOwn, kBinary},
    {"And", kOwn, kBinary},
    {"ArgMax", arg_max, "axis keepdims select_last_index"},
    {"ArgMin", arg_min, "axis keepdims select_last_index"},
    {"Asin", kOwn, ""},
    {"Asinh", kOwn, ""},
    {"Atan", kOwn, ""},
    {"Atanh", kOwn, ""},
    {"Attention", attention,
     "is_causal kv_num_heads q_num_heads qk_matmul_output_mode scale softcap softmax_precision"},
    {"AveragePool", average_pool,
     "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides"},
    {"BatchNormalization", batch_norm,
     "consumed_inputs epsilon is_test momentum spatial training_mode"},
    {"Cast", kOwn, "saturate to"},
    {"Ceil", kOwn, kUnary},
    {"Celu", kOwn, "alpha"},
    {"Clip", kOwn, "consumed_inputs max min"},
    {"Concat", kOwn, "axis"},
    {"Constant", kOwn, "value value_float value_floats value_int value_ints"},
    {"ConstantOfShape", kOwn, "value"},
    {"Conv", conv, "auto_pad dilations group kernel_shape pads strides"},
    {"ConvInteger", conv_integer, "auto_pad dilations group kernel_shape pads strides"},
    {"ConvTranspose", conv_transpose,
     "auto_pad dilations group kernel_shape output_padding output_shape pads strides"},
    {"Cos", kOwn, ""},
    {"Cosh", kOwn, ""},
    {"CumProd", cum_prod, "exclusive reverse"},
    {"CumSum", cum_sum, "exclusive reverse"},
    {"DepthToSpace", kOwn, "blocksize mode"},
    {"DequantizeLinear", kOwn, "axis"},
    {"Div", kOwn, kBinary},
    {"Dropout", dropout, "consumed_inputs is_test ratio seed"},
    {"DynamicQuantizeLinear", dynamic_quantize, ""},
    {"Einsum", kOwn, "equation"},
    {"Elu", kOwn, "alpha consumed_inputs"},
    {"Equal", kOwn, kBinary},
    {"Erf", kOwn, ""},
    {"Exp", kOwn, kUnary},
    {"Expand", kOwn, ""},
    {"Flatten", kOwn, "axis"},
    {"Floor", kOwn, kUnary},
    {"GRU", gru, "direction hidden_size linear_before_reset"},
    {"Gather", kOwn, "axis"},
    {"Gelu", kOwn, "approximate"},
    {"Gemm", gemm, "alpha beta broadcast transA transB"},
    {"GlobalAveragePool", global_average_pool, ""},
    {"GlobalLpPool", global_lp_pool, "p"},
    {"GlobalMaxPool", global_max_pool, ""},
    {"Greater", kOwn, kBinary},
    {"GreaterOrEqual", kOwn, ""},
    {"GridSample", grid_sample, "align_corners mode padding_mode"},
    {"GroupNormalization", group_norm, "epsilon num_groups stash_type"},
    {"HardSigmoid", kOwn, "alpha beta consumed_inputs"},
    {"HardSwish", kOwn, ""},
    {"Identity", kOwn, ""},
    {"InstanceNormalization", instance_norm, "epsilon"},
    {"IsInf", kOwn, "detect_negative detect_positive"},
    {"IsNaN", kOwn, ""},
    {"LRN", lrn, "alpha beta bias size"},
    {"LSTM", lstm, "direction hidden_size input_forget"},
    {"LayerNormalization", layer_norm, "axis epsilon stash_type"},
    {"LeakyRelu", kOwn, "alpha consumed_inputs"},
    {"Less", kOwn, kBinary},
    {"LessOrEqual", kOwn, ""},
    {"Log", kOwn, kUnary},
    {"LogSoftmax", log_softmax, "axis"},
    {"LpNormalization", lp_norm, "axis p"},
    {"LpPool", lp_pool, "auto_pad ceil_mode dilations kernel_shape p pads strides"},
    {"MatMul", kOwn, ""},
    {"MatMulInteger", matmul_integer, ""},
    {"Max", kOwn, kBinary},
    {"MaxPool", max_pool, "auto_pad ceil_mode dilations kernel_shape pads storage_order strides"},
    {"MaxUnpool", max_unpool, "kernel_shape pads strides"},
    {"MeanVarianceNormalization", mean_variance_norm, "axes"},
    {"Min", kOwn, kBinary},
    {"Mish", kOwn, ""},
    {"Mod", kOwn, "fmod"},
    {"Mul", kOwn, kBinary},
    {"Neg", kOwn, kUnary},
    {"Not", kOwn, ""},
    {"Or", kOwn, kBinary},
    {"PRelu", kOwn, kUnary},
    {"Pad", kOwn, "mode pads value"},
    {"Pow", kOwn, kBinary},
    {"QLinearConv", qlinear_conv, "auto_pad dilations group kernel_shape pads strides"},
    {"QLinearMatMul", qlinear_matmul, ""},
    {"QuantizeLinear", kOwn, "axis saturate"},
    {"RMSNormalization", rms_norm, "axis epsilon stash_type"},
    {"RNN", rnn, "direction hidden_size"},
    {"Range", kOwn, ""},
    {"Reciprocal", kOwn, kUnary},
    {"ReduceL1", kOwn, kReduceAttributes},
    {"ReduceL2", kOwn, kReduceAttributes},
    {"ReduceLogSum", kOwn, kReduceAttributes},
    {"ReduceLogSumExp", kOwn, kReduceAttributes},
    {"ReduceMax", kOwn, kReduceAttributes},
    {"ReduceMean", kOwn, kReduceAttributes},
    {"ReduceMin", kOwn, kReduceAttributes},
    {"ReduceProd", kOwn, kReduceAttributes},
    {"ReduceSum", kOwn, kReduceAttributes},
    {"ReduceSumSquare", kOwn, kReduceAttributes},
    {"Relu", kOwn, kUnary},
    {"Reshape", kOwn, "allowzero consumed_inputs shape"},
    {"Resize", resize,
     "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside "
     "extrapolation_value keep_aspect_ratio_policy mode nearest_mode"},
    {"RoiAlign", roi_align,
     "coordinate_transformation_mode mode output_height output_width sampling_ratio spatial_scale"},
    {"RotaryEmbedding", rotary, "interleaved num_heads rotary_embedding_dim"},
    {"Round", kOwn, ""},
    {"ScatterND", kOwn, "reduction"},
    {"Selu", kOwn, "alpha consumed_inputs gamma"},
    {"Shape", kOwn, "end start"},
    {"Shrink", kOwn, "bias lambd"},
    {"Sigmoid", kOwn, kUnary},
    {"Sign", kOwn, ""},
    {"SimplifiedLayerNormalization", rms_norm, "axis epsilon stash_type"},
    {"Sin", kOwn, ""},
    {"Sinh", kOwn, ""},
    {"Size", kOwn, ""},
    {"Slice", kOwn, "axes ends starts"},
    {"Softmax", softmax, "axis"},
    {"Softplus", kOwn, ""},
    {"Softsign", kOwn, ""},
    {"SpaceToDepth", kOwn, "blocksize"},
    {"Split", kOwn, "axis num_outputs split"},
    {"Sqrt", kOwn, kUnary},
    {"Squeeze", kOwn, "axes"},
    {"Sub", kOwn, kBinary},
    {"Sum", kOwn, kBinary},
    {"Swish", kOwn, "alpha"},
    {"Tan", kOwn, ""},
    {"Tanh", kOwn, kUnary},
    {"TensorScatter", tensor_scatter, "axis mode"},
    {"ThresholdedRelu", kOwn, "alpha"},
    {"Tile", kOwn, ""},
    {"TopK", top_k, "axis k largest sorted"},
    {"Transpose", kOwn, "perm"},
    {"Trilu", kOwn, "upper"},
    {"Unsqueeze", kOwn, "axes"},
    {"Upsample", resize, "mode scales"},
    {"Xor", kOwn, kBinary},
};

// Of domain com.microsoft.
constexpr Entry kOfRuntime[] = {
    {"Attention", attention_of_runtime,
     "mask_filter_value num_heads qkv_hidden_sizes scale unidirectional"},
    {"EmbedLayerNormalization", embedding_norm, "epsilon mask_index_type"},
    {"FusedConv", fused_conv,
     "activation activation_params auto_pad dilations group kernel_shape pads strides"},
    {"GroupQueryAttention", group_query_attention,
     "do_rotary kv_num_heads local_window_size num_heads rotary_interleaved scale smooth_softmax "
     "softcap"},
    {"MultiHeadAttention", multi_head_attention,
     "mask_filter_value num_heads scale unidirectional"},
    {"QGemm", kOwn, "alpha transA transB"},
    {"QLinearAdd", kOwn, ""},
    {"QLinearConcat", kOwn, "axis"},
    {"QLinearGlobalAveragePool", kOwn, "channels_last"},
    {"QLinearLeakyRelu", kOwn, "alpha"},
    {"QLinearMul", kOwn, ""},
    {"QLinearSigmoid", kOwn, ""},
    {"QuickGelu", kOwn, "alpha"},
    {"RotaryEmbedding", rotary, "interleaved num_heads rotary_embedding_dim"},
    {"SimplifiedLayerNormalization", rms_norm, "axis epsilon stash_type"},
    {"SkipLayerNormalization", skip_norm, "epsilon"},
    {"SkipSimplifiedLayerNormalization", skip_simplified_norm, "epsilon"},
};

// Null for an operator outside the tables.
const Entry* find(const Node& node) {
  const bool own = is_onnx(node);
  if (!own && node.domain != "com.microsoft") return nullptr;
  const std::span<const Entry> entries =
      own ? std::span<const Entry>(kEntries) : std::span<const Entry>(kOfRuntime);
  const auto entry = std::ranges::find(entries, node.op_type, &Entry::type);
  return entry == entries.end() ? nullptr : &*entry;
}

bool lists(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

}  // namespace

void require_runnable(const Graph& graph, const Node& node) {
  const Entry* entry = find(node);
  const bool known = entry != nullptr && node.op != nullptr;
  if (!known && !(node.op && node.op->evaluate)) {
    fail_target(where(graph, node) +
                ": coppice can't run this operator; export the model without it");
  }
  if (const Value* carried = carried_input(graph, node)) {
    fail_target(where(graph, node) + ": '" + carried->name + "' is " +
                name_of(carried->constant->dtype()) + ", which coppice can't run");
  }
  if (!entry) return;
  for (const auto& [name, value] : node.attributes.entries()) {
    if (!lists(entry->attributes, name)) {
      fail_target(where(graph, node) + ": attribute '" + name +
                  "' can't be honoured; export the model without it");
    }
  }
}

std::vector<Tensor> evaluate_node(const Graph& graph, const Node& node,
                                  std::span<const Tensor* const> inputs) {
  require_runnable(graph, node);
  const Entry* entry = find(node);
  const auto kernel = entry && entry->kernel ? entry->kernel : node.op->evaluate;
  if (!kernel) {
    fail_input(where(graph, node) +
               ": its value isn't known before the model runs, and coppice "
               "can't compute it then; give the model fixed shapes");
  }
  std::vector<Tensor> outputs = kernel(graph, node, inputs);
  for (size_t o = outputs.size(); o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNoValue) continue;
    fail_input(where(graph, node) + ": output " + std::to_string(o) +
               " can't be run; export the model without it");
  }
  return outputs;
}

}  // namespace coppice
