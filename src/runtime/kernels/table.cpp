// Operators with a fast way to run: one line each.

#include <algorithm>
#include <string_view>

#include "runtime/kernels/steps.h"

namespace coppice::runtime {
namespace {

struct Entry {
  std::string_view type;
  Lower lower;
};

constexpr Entry kEntries[] = {
    {"Abs", lower_eltwise},
    {"Add", lower_binary},
    {"AveragePool", lower_pool},
    {"BatchNormalization", lower_batch_norm},
    {"Clip", lower_eltwise},
    {"Concat", lower_concat},
    {"Conv", lower_conv},
    {"Div", lower_binary},
    {"Elu", lower_eltwise},
    {"Flatten", lower_reshape},
    {"Gemm", lower_gemm},
    {"GlobalAveragePool", lower_global_pool},
    {"GlobalMaxPool", lower_global_pool},
    {"HardSigmoid", lower_eltwise},
    {"HardSwish", lower_eltwise},
    {"Identity", lower_reshape},
    {"LeakyRelu", lower_eltwise},
    {"LogSoftmax", lower_softmax},
    {"MatMul", lower_matmul},
    {"MaxPool", lower_pool},
    {"Mul", lower_binary},
    {"Pad", lower_pad},
    {"ReduceMean", lower_spatial_mean},
    {"Relu", lower_eltwise},
    {"Reshape", lower_reshape},
    {"Sigmoid", lower_eltwise},
    {"Slice", lower_slice},
    {"Softmax", lower_softmax},
    {"Split", lower_split},
    {"Squeeze", lower_reshape},
    {"Sub", lower_binary},
    {"Tanh", lower_eltwise},
    {"Transpose", lower_transpose},
    {"Unsqueeze", lower_reshape},
};

}  // namespace

Lower find_lowering(const Node& node) {
  const auto entry = std::find_if(std::begin(kEntries), std::end(kEntries),
                                  [&](const Entry& e) { return e.type == node.op_type; });
  return node.op && entry != std::end(kEntries) ? entry->lower : nullptr;
}

}  // namespace coppice::runtime
