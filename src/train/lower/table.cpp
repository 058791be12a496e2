// All operators that can be trained: one line each.
//
// Shape and Constant have a line, so that a graph may hold them, but never become steps: shapes are
// bound, so inference knows their values, and the program puts those in as constants.
#include <algorithm>
#include <string_view>

#include "core/error.h"
#include "runtime/reference.h"
#include "train/lower/lowerings.h"

namespace coppice::train {
namespace {

struct Entry {
  std::string_view type;
  Lower lower;
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
    {"Add", lower_sum},
    {"AveragePool", lower_average_pool},
    {"BatchNormalization", lower_batch_norm},
    {"Cast", lower_cast},
    {"Ceil", lower_unary<at::ceil>},
    {"Clip", lower_clip},
    {"Concat", lower_concat},
    {"Constant", lower_known},
    {"ConstantOfShape", lower_constant_of_shape},
    {"Conv", lower_conv},
    {"Div", lower_div},
    {"Dropout", lower_dropout},
    {"Elu", lower_elu},
    {"Equal", lower_binary<equal>},
    {"Erf", lower_unary<at::erf>},
    {"Exp", lower_unary<at::exp>},
    {"Flatten", lower_reshape},
    {"Floor", lower_unary<at::floor>},
    {"Gather", lower_gather},
    {"Gemm", lower_gemm},
    {"GlobalAveragePool", lower_global_average_pool},
    {"GlobalMaxPool", lower_global_max_pool},
    {"Greater", lower_binary<greater>},
    {"HardSigmoid", lower_hard_sigmoid},
    {"HardSwish", lower_unary<at::hardswish>},
    {"Identity", lower_unary<identity>},
    {"LeakyRelu", lower_leaky_relu},
    {"Less", lower_binary<less>},
    {"Log", lower_unary<at::log>},
    {"LogSoftmax", lower_log_softmax},
    {"MatMul", lower_binary<at::matmul>},
    {"Max", lower_max},
    {"MaxPool", lower_max_pool},
    {"Min", lower_min},
    {"Mul", lower_binary<product>},
    {"Neg", lower_unary<at::neg>},
    {"PRelu", lower_prelu},
    {"Pad", lower_pad},
    {"Pow", lower_pow},
    {"Reciprocal", lower_unary<at::reciprocal>},
    {"ReduceL1", lower_reduce_l1},
    {"ReduceL2", lower_reduce_l2},
    {"ReduceMax", lower_reduce_max},
    {"ReduceMean", lower_reduce_mean},
    {"ReduceMin", lower_reduce_min},
    {"ReduceSum", lower_reduce_sum},
    {"Relu", lower_relu},
    {"Reshape", lower_reshape},
    {"Selu", lower_selu},
    {"Shape", lower_known},
    {"Sigmoid", lower_unary<at::sigmoid>},
    {"Slice", lower_slice},
    {"Softmax", lower_softmax},
    {"Softplus", lower_softplus},
    {"Softsign", lower_softsign},
    {"Split", lower_split},
    {"Sqrt", lower_unary<at::sqrt>},
    {"Squeeze", lower_reshape},
    {"Sub", lower_sub},
    {"Sum", lower_sum},
    {"Tanh", lower_unary<at::tanh>},
    {"Transpose", lower_transpose},
    {"Unsqueeze", lower_reshape},
    {"Where", lower_where},
};

}  // namespace

Lower find_lower(const Node& node) {
  if (!node.domain.empty() && node.domain != "ai.onnx") return nullptr;
  const auto entry = std::ranges::find(kEntries, node.op_type, &Entry::type);
  return entry == std::end(kEntries) ? nullptr : entry->lower;
}

void require_trainable(const Graph& graph, const Node& node) {
  if (!find_lower(node)) {
    fail_input(where(graph, node) +
               ": can't be trained: no gradient rule; keep it out of what is trained, or prune "
               "without --epochs");
  }
  require_runnable(graph, node);
  // Only Split computes more than its first output: no mask of Dropout, no positions of MaxPool.
  if (node.op_type == "Split") return;
  for (size_t o = 1; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNoValue) continue;
    fail_input(where(graph, node) + ": can't be trained: output " + std::to_string(o) +
               " isn't computed; export the model without it");
  }
}

}  // namespace coppice::train
