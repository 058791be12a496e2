// All operators that can be run: one line each, with the attributes that their kernel honours (any
// other is refused by name, so that none is silently ignored). Without a kernel of its own here, an
// operator is computed by its OpDef::evaluate.

#include <string_view>

#include "graph/is_onnx.h"
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
    {"Add", kOwn, kBinary},
    {"And", kOwn, kBinary},
    {"ArgMax", arg_max, "axis keepdims select_last_index"},
    {"ArgMin", arg_min, "axis keepdims select_last_index"},
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
    {"ConvTranspose", conv_transpose,
     "auto_pad dilations group kernel_shape output_padding output_shape pads strides"},
    {"Cos", kOwn, ""},
    {"CumSum", cum_sum, "exclusive reverse"},
    {"DepthToSpace", kOwn, "blocksize mode"},
    {"DequantizeLinear", kOwn, "axis"},
    {"Div", kOwn, kBinary},
    {"Dropout", dropout, "consumed_inputs is_test ratio seed"},
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
    {"GlobalMaxPool", global_max_pool, ""},
    {"Greater", kOwn, kBinary},
    {"GreaterOrEqual", kOwn, ""},
    {"GroupNormalization", group_norm, "epsilon num_groups stash_type"},
    {"HardSigmoid", kOwn, "alpha beta consumed_inputs"},
    {"HardSwish", kOwn, ""},
    {"Identity", kOwn, ""},
    {"InstanceNormalization", instance_norm, "epsilon"},
    {"LRN", lrn, "alpha beta bias size"},
    {"LSTM", lstm, "direction hidden_size input_forget"},
    {"LayerNormalization", layer_norm, "axis epsilon stash_type"},
    {"LeakyRelu", kOwn, "alpha consumed_inputs"},
    {"Less", kOwn, kBinary},
    {"LessOrEqual", kOwn, ""},
    {"Log", kOwn, kUnary},
    {"LogSoftmax", log_softmax, "axis"},
    {"LpNormalization", lp_norm, "axis p"},
    {"MatMul", matmul, ""},
    {"Max", kOwn, kBinary},
    {"MaxPool", max_pool, "auto_pad ceil_mode dilations kernel_shape pads storage_order strides"},
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
    {"Round", kOwn, ""},
    {"ScatterND", kOwn, "reduction"},
    {"Selu", kOwn, "alpha consumed_inputs gamma"},
    {"Shape", kOwn, "end start"},
    {"Sigmoid", kOwn, kUnary},
    {"Sign", kOwn, ""},
    {"Sin", kOwn, ""},
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
    {"Tanh", kOwn, kUnary},
    {"ThresholdedRelu", kOwn, "alpha"},
    {"Tile", kOwn, ""},
    {"TopK", top_k, "axis k largest sorted"},
    {"Transpose", kOwn, "perm"},
    {"Unsqueeze", kOwn, "axes"},
    {"Upsample", resize, "mode scales"},
    {"Xor", kOwn, kBinary},
};

// Null for an operator outside the table; `node` must be of ONNX's own domain.
const Entry* find(const Node& node) {
  if (!is_onnx(node)) return nullptr;
  const auto entry = std::find_if(std::begin(kEntries), std::end(kEntries),
                                  [&](const Entry& e) { return e.type == node.op_type; });
  return entry == std::end(kEntries) ? nullptr : entry;
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
    fail_input(where(graph, node) +
               ": coppice can't run this operator; export the model without it");
  }
  if (!entry) return;
  for (const auto& [name, value] : node.attributes.entries()) {
    if (!lists(entry->attributes, name)) {
      fail_input(where(graph, node) + ": attribute '" + name +
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
