// All operators that can be trained: one line each.
//
// Shape, Size and Constant have a line, so that a graph may hold them, but never become steps:
// shapes are bound, so inference knows their values, and the program puts those in as constants.
#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "graph/is_onnx.h"
#include "libtorch/lower/lowerings.h"
#include "runtime/reference.h"

namespace coppice::train {
namespace {

enum class Computes {
  first_output,  // of Dropout and MaxPool that one alone: no mask, no positions
  fresh_output,  // that one, as memory that its own gradient doesn't look at again
  all_outputs,
};

struct Entry {
  std::string_view type;
  Lower lower;
  Computes computes = Computes::first_output;
};

Step lower_known(const LowerContext& context) {
  context.fail("inference doesn't know its value; fix the shapes of the model");
}

at::Tensor identity(const at::Tensor& x) { return at::alias(x); }
at::Tensor equal(const at::Tensor& a, const at::Tensor& b) { return at::eq(a, b); }
at::Tensor less(const at::Tensor& a, const at::Tensor& b) { return at::lt(a, b); }
at::Tensor greater(const at::Tensor& a, const at::Tensor& b) { return at::gt(a, b); }
at::Tensor product(const at::Tensor& a, const at::Tensor& b) { return at::mul(a, b); }

constexpr Entry kEntries[] = {
    {"Abs", lower_unary<at::abs>},
    {"Add", lower_sum, Computes::fresh_output},
    {"And", lower_binary<at::logical_and>},
    {"ArgMax", lower_arg_max},
    {"ArgMin", lower_arg_min},
    {"Attention", lower_attention},
    {"AveragePool", lower_average_pool, Computes::fresh_output},
    {"BatchNormalization", lower_batch_norm, Computes::fresh_output},
    {"Cast", lower_cast},
    {"Ceil", lower_unary<at::ceil>},
    {"Celu", lower_celu},
    {"Clip", lower_clip},
    {"Concat", lower_concat, Computes::fresh_output},
    {"Constant", lower_known},
    {"ConstantOfShape", lower_constant_of_shape},
    {"Conv", lower_conv, Computes::fresh_output},
    {"ConvTranspose", lower_conv_transpose},
    {"Cos", lower_unary<at::cos>},
    {"CumSum", lower_cum_sum},
    {"DepthToSpace", lower_depth_to_space},
    {"DequantizeLinear", lower_dequantize},
    {"Div", lower_div},
    {"Dropout", lower_dropout},
    {"Einsum", lower_einsum},
    {"Elu", lower_elu},
    {"Equal", lower_binary<equal>},
    {"Erf", lower_unary<at::erf>},
    {"Exp", lower_unary<at::exp>},
    {"Expand", lower_expand},
    {"Flatten", lower_reshape},
    {"Floor", lower_unary<at::floor>},
    {"GRU", lower_gru, Computes::all_outputs},
    {"Gather", lower_gather},
    {"Gelu", lower_gelu},
    {"Gemm", lower_gemm, Computes::fresh_output},
    {"GlobalAveragePool", lower_global_average_pool},
    {"GlobalMaxPool", lower_global_max_pool},
    {"Greater", lower_binary<greater>},
    {"GreaterOrEqual", lower_binary<at::ge>},
    {"GroupNormalization", lower_group_norm},
    {"HardSigmoid", lower_hard_sigmoid},
    {"HardSwish", lower_unary<at::hardswish>},
    {"Identity", lower_unary<identity>},
    {"InstanceNormalization", lower_instance_norm},
    {"LRN", lower_lrn},
    {"LSTM", lower_lstm, Computes::all_outputs},
    {"LayerNormalization", lower_layer_norm, Computes::all_outputs},
    {"LeakyRelu", lower_leaky_relu},
    {"Less", lower_binary<less>},
    {"LessOrEqual", lower_binary<at::le>},
    {"Log", lower_unary<at::log>},
    {"LogSoftmax", lower_log_softmax},
    {"LpNormalization", lower_lp_norm},
    {"MatMul", lower_binary<at::matmul>, Computes::fresh_output},
    {"Max", lower_max},
    {"MaxPool", lower_max_pool},
    {"MeanVarianceNormalization", lower_mean_variance_norm},
    {"Min", lower_min},
    {"Mish", lower_unary<at::mish>},
    {"Mod", lower_mod},
    {"Mul", lower_binary<product>},
    {"Neg", lower_unary<at::neg>},
    {"Not", lower_unary<at::logical_not>},
    {"Or", lower_binary<at::logical_or>},
    {"PRelu", lower_prelu},
    {"Pad", lower_pad},
    {"Pow", lower_pow},
    {"QuantizeLinear", lower_quantize},
    {"RMSNormalization", lower_rms_norm},
    {"RNN", lower_rnn, Computes::all_outputs},
    {"Range", lower_range},
    {"Reciprocal", lower_unary<at::reciprocal>},
    {"ReduceL1", lower_reduce_l1},
    {"ReduceL2", lower_reduce_l2},
    {"ReduceLogSum", lower_reduce_log_sum},
    {"ReduceLogSumExp", lower_reduce_log_sum_exp},
    {"ReduceMax", lower_reduce_max},
    {"ReduceMean", lower_reduce_mean},
    {"ReduceMin", lower_reduce_min},
    {"ReduceProd", lower_reduce_prod},
    {"ReduceSum", lower_reduce_sum},
    {"ReduceSumSquare", lower_reduce_sum_square},
    {"Relu", lower_relu},
    {"Reshape", lower_reshape},
    {"Resize", lower_resize},
    {"Round", lower_unary<at::round>},
    {"ScatterND", lower_scatter_nd},
    {"Selu", lower_selu},
    {"Shape", lower_known},
    {"Sigmoid", lower_unary<at::sigmoid>},
    {"Sign", lower_unary<at::sign>},
    {"Sin", lower_unary<at::sin>},
    {"Size", lower_known},
    {"Slice", lower_slice},
    {"Softmax", lower_softmax},
    {"Softplus", lower_softplus},
    {"Softsign", lower_softsign},
    {"SpaceToDepth", lower_space_to_depth},
    {"Split", lower_split, Computes::all_outputs},
    {"Sqrt", lower_unary<at::sqrt>},
    {"Squeeze", lower_reshape},
    {"Sub", lower_sub, Computes::fresh_output},
    {"Sum", lower_sum, Computes::fresh_output},
    {"Tanh", lower_unary<at::tanh>},
    {"ThresholdedRelu", lower_thresholded_relu},
    {"Tile", lower_tile},
    {"TopK", lower_top_k, Computes::all_outputs},
    {"Transpose", lower_transpose},
    {"Unsqueeze", lower_reshape},
    {"Upsample", lower_resize},
    {"Where", lower_where},
    {"Xor", lower_binary<at::logical_xor>},
};

// Null for an operator outside the table.
const Entry* find(const Node& node) {
  if (!is_onnx(node)) return nullptr;
  const auto entry = std::ranges::find(kEntries, node.op_type, &Entry::type);
  return entry == std::end(kEntries) ? nullptr : entry;
}

}  // namespace

Lower find_lower(const Node& node) {
  const Entry* entry = find(node);
  return entry ? entry->lower : nullptr;
}

bool forgets_output(const Node& node) {
  const Entry* entry = find(node);
  return entry && entry->computes == Computes::fresh_output;
}

void require_trainable(const Graph& graph, const Node& node) {
  const Entry* entry = find(node);
  if (!entry) {
    fail_input(where(graph, node) +
               ": can't be trained: no gradient rule; keep it out of what is trained, or prune "
               "without --epochs");
  }
  require_runnable(graph, node);
  if (entry->computes == Computes::all_outputs) return;
  for (size_t o = 1; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNoValue) continue;
    fail_input(where(graph, node) + ": can't be trained: output " + std::to_string(o) +
               " isn't computed; export the model without it");
  }
}

}  // namespace coppice::train
