// Operators with a fast way to run: one line each.

#include <algorithm>
#include <string_view>

#include "runtime/compile/eltwise.h"
#include "runtime/kernels/steps.h"

namespace coppice::runtime {
namespace {

struct Entry {
  std::string_view type;
  Lower lower;
  Anchor anchor = Anchor::none;
  Eltwises (*eltwise)(const Graph&, const Node&) = nullptr;  // of what can be built into others
};

constexpr Entry kEntries[] = {
    {"Abs", lower_eltwise, Anchor::none, absolute},
    {"Add", lower_binary, Anchor::elementwise},
    {"AveragePool", lower_pool},
    {"BatchNormalization", lower_batch_norm, Anchor::normalisation},
    {"Clip", lower_eltwise, Anchor::none, clip},
    {"Concat", lower_concat},
    {"Conv", lower_conv, Anchor::affine},
    {"Div", lower_binary},
    {"Elu", lower_eltwise, Anchor::none, elu},
    {"Flatten", lower_reshape},
    {"Gemm", lower_gemm, Anchor::affine},
    {"GlobalAveragePool", lower_global_pool},
    {"GlobalMaxPool", lower_global_pool},
    {"HardSigmoid", lower_eltwise, Anchor::none, hard_sigmoid},
    {"HardSwish", lower_eltwise, Anchor::none, hard_swish},
    {"Identity", lower_reshape},
    {"LeakyRelu", lower_eltwise, Anchor::none, leaky_relu},
    {"LogSoftmax", lower_softmax},
    {"MatMul", lower_matmul, Anchor::affine},
    {"MaxPool", lower_pool},
    {"Mul", lower_binary, Anchor::elementwise},
    {"Pad", lower_pad},
    {"ReduceMean", lower_spatial_mean},
    {"Relu", lower_eltwise, Anchor::none, relu},
    {"Reshape", lower_reshape},
    {"Sigmoid", lower_eltwise, Anchor::none, sigmoid},
    {"Slice", lower_slice},
    {"Softmax", lower_softmax},
    {"Split", lower_split},
    {"Squeeze", lower_reshape},
    {"Sub", lower_binary, Anchor::elementwise},
    {"Tanh", lower_eltwise, Anchor::none, hyperbolic_tangent},
    {"Transpose", lower_transpose},
    {"Unsqueeze", lower_reshape},
};

// Null for an operator outside the table.
const Entry* find(const Node& node) {
  if (!node.op) return nullptr;
  const auto entry = std::ranges::find(kEntries, node.op_type, &Entry::type);
  return entry == std::end(kEntries) ? nullptr : entry;
}

}  // namespace

Lower find_lowering(const Node& node) {
  const Entry* entry = find(node);
  return entry ? entry->lower : nullptr;
}

Anchor anchor_of(const Node& node) {
  const Entry* entry = find(node);
  return entry ? entry->anchor : Anchor::none;
}

std::optional<std::vector<Eltwise>> eltwise_of(const Graph& graph, const Node& node) {
  const Entry* entry = node.inputs.empty() ? nullptr : find(node);
  return entry && entry->eltwise ? entry->eltwise(graph, node) : std::nullopt;
}

}  // namespace coppice::runtime
